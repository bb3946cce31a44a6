/**
 * The kernel as functions: FFI, one small typed function a system call, errnos as errors, constants under the kernel's names.
 * Nothing here knows what a container is.
 */
export * from './constants.ts';
export { receiveDescriptor } from './descriptor-message.ts';
export * from './errno.ts';
export * from './error.ts';
export { type Native, native, type SyscallArgument } from './ffi.ts';
export { fields } from './fields.ts';
export { fileVersion } from './file-version.ts';
export * from './files.ts';
export * from './flock.ts';
export { lockHolder, lockWithin } from './lock-within.ts';
export { type Look, lookInto } from './look-into.ts';
export { embeddedImage, nativeFile, packageRoot, selfCommand } from './native.ts';
export { isNullDevice } from './null-device.ts';
export { type SyscallName, syscallNumber } from './numbers.ts';
export { type Death, openPidfd, reap, signalPidfd } from './pidfd.ts';
export { pipe, socketPair } from './pipe.ts';
export { waitHangUp, waitReadable } from './poller.ts';
export { bootId, identify, openProcess, type ProcessIdentity } from './process-identity.ts';
export { randomHex } from './random-hex.ts';
export { removeTree } from './remove-tree.ts';
export * from './signals.ts';
export { cString, type SyscallContext, syscall } from './syscall.ts';
export { setWindowSize, showBytes } from './terminal.ts';
export { waitHere } from './wait-here.ts';
export { readXattrs } from './xattrs.ts';
