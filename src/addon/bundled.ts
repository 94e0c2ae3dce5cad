// The first module of the package that runs. A bundle of ES modules has no `require` for the next ones, and
// would fail at their first line with a sentence of the bundler's.

/** What to do about a copy of this code in a bundle, which has left the addon behind. */
export const MARK_AS_EXTERNAL =
  'A native addon cannot be bundled. Mark evenkeel as external, so that it is loaded from node_modules:\n' +
  '  esbuild  --external:evenkeel\n' +
  "  webpack  externals: { evenkeel: 'commonjs evenkeel' }\n" +
  "  Rollup   external: ['evenkeel']\n" +
  "  Vite     ssr: { external: ['evenkeel'] }\n" +
  "  Next.js  serverExternalPackages: ['evenkeel']\n" +
  'or set EVENKEEL_NATIVE to the path of evenkeel.node.';

if (typeof __dirname !== 'string') {
  throw new Error(
    `evenkeel: expected to be loaded from node_modules, got a copy in a bundle. ${MARK_AS_EXTERNAL}`,
  );
}
