// Constants, since a bundle has no package.json of ours to read. test/unit/addon.test.ts holds them to it.
export const VERSION = '0.1.0';

/**
 * The hash of the C++ sources that this copy was packed with (stale.ts). scripts/build-ts.mjs fills it in in dist/;
 * empty where the source itself runs.
 */
export const SOURCES: string = '';
