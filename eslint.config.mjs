import eslint from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig(
  globalIgnores([
    'build/',
    'build-check/',
    'dist/',
    'prebuilds/',
    'bench/results/',
    'bench/peers/.packages/',
  ]),
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Loops over typed arrays know their bounds; noUncheckedIndexedAccess does not.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
    },
  },
  {
    files: ['src/**'],
    ignores: ['src/cli/**'],
    rules: { 'no-console': 'error' },
  },
  {
    files: ['src/**'],
    rules: {
      // ES modules of Node name a file with its ending; TypeScript's `bundler` resolution does not ask for it.
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^\\..*(?<!\\.js)$', message: 'Write the ending: .js.' }] },
      ],
      'no-restricted-syntax': [
        'error',
        {
          // Of another realm (a vm context, a test runner's) they are instances of other classes.
          selector:
            "BinaryExpression[operator='instanceof'][right.name=/^(Object|Function|Array|ArrayBuffer|" +
            'SharedArrayBuffer|DataView|Map|Set|WeakMap|WeakSet|Promise|RegExp|Date|URL|AbortSignal|' +
            'AbortController|EventTarget|Buffer|Blob|.*Error|(Float|Big|Int|Uint).*Array)$/]',
          message:
            'Ask what the value is, not of which class: node:util/types, check.arrayKind, check.isThenable.',
        },
      ],
    },
  },
  {
    files: ['src/index.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'Program > :not(ExportNamedDeclaration[source], ExportAllDeclaration)',
          message: 'src/index.ts is the door: re-exports only, no code.',
        },
      ],
    },
  },
  {
    files: ['test/**'],
    rules: {
      // Vitest's matchers are typed with `any`, and a test may hand over the wrong thing on purpose.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        AbortController: 'readonly',
        AbortSignal: 'readonly',
        Buffer: 'readonly',
        console: 'readonly',
        EventTarget: 'readonly',
        performance: 'readonly',
        process: 'readonly',
        structuredClone: 'readonly',
        URL: 'readonly',
      },
    },
    rules: { '@typescript-eslint/explicit-module-boundary-types': 'off' },
  },
  {
    // Fuzzers: the types are wrong on purpose.
    files: ['scripts/fuzz-*.mjs', 'scripts/fuzz-facade/*.mjs'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      globals: {
        queueMicrotask: 'readonly',
        setImmediate: 'readonly',
      },
    },
    rules: {
      '@typescript-eslint/ban-ts-comment': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
    },
  },
);
