/** The digest of the bundle, which the build puts in (scripts/build/start.mjs). */
declare const BUNDLE_DIGEST: string;
