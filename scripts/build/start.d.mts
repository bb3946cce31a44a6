/** See start.mjs. */
export declare function bundleStart(entry: 'tsbox' | 'tsbox-oci' | 'sea', digest: string): Promise<string>;
