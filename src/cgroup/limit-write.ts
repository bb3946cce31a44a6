/** One limit as cgroup v2 takes it: write `value` to `file` of the group. */
export interface LimitWrite {
  file: string;
  value: string;
  /** What must be enabled in the parent's `cgroup.subtree_control` for the file to be there; `cgroup` for the core, which always is. */
  controller: string;
  /** What was asked for, in the words of an error: "the memory limit". */
  limit: string;
  /** Where the kernel has this file, it is the one to write instead. */
  instead?: { file: string; value: string };
}
