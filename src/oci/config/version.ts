/** The version that is written into states, and the newest that is understood. */
export const OCI_VERSION = '1.2.1';
