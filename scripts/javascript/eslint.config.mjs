// What the gate holds against the project's JavaScript: `cargo xtask ci --only javascript`.
//
// The dashboard shows names and differences that come from outside, under a policy that refuses inline scripts and
// styles: whatever makes elements or code of text is a finding. An exception stands at its line, with its reason.

import js from '@eslint/js';
import globals from 'globals';

const NO_HTML = 'Text is never parsed as HTML: make elements with h() of dom.js.';
const NO_INLINE = 'The page’s policy refuses inline styles and scripts: set a class, a property of `style`, or a listener.';
const HTML_OF_TEXT = [
  'innerHTML', 'outerHTML', 'insertAdjacentHTML', 'setHTMLUnsafe', 'parseHTMLUnsafe', 'createContextualFragment',
  'parseFromString', 'srcdoc',
];

/** Names of the window that are words of ours, too: if an import is forgotten, they are taken for it without an error. */
const LOOKALIKES = [
  'close', 'closed', 'confirm', 'event', 'find', 'focus', 'history', 'length', 'name', 'open', 'origin', 'parent', 'print',
  'self', 'status', 'stop', 'top',
];

export default [
  { ignores: ['**/target/', '**/vendor/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    rules: {
      // Seldom meant.
      'array-callback-return': 'error',
      'eqeqeq': 'error',
      'no-constructor-return': 'error',
      'no-duplicate-imports': 'error',
      'no-loop-func': 'error',
      'no-self-compare': 'error',
      'no-shadow': 'error',
      'no-template-curly-in-string': 'error',
      'no-throw-literal': 'error',
      'no-unassigned-vars': 'error',
      'no-unmodified-loop-condition': 'error',
      'no-unreachable-loop': 'error',
      'no-unused-expressions': 'error',
      'no-useless-assignment': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'preserve-caught-error': 'error',
      'require-atomic-updates': 'error',
      // Code and elements of text.
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-new-func': 'error',
      'no-script-url': 'error',
      'no-restricted-properties': ['error',
        ...HTML_OF_TEXT.map((property) => ({ property, message: NO_HTML })),
        ...['write', 'writeln'].map((property) => ({ object: 'document', property, message: NO_HTML })),
      ],
      'no-restricted-syntax': ['error',
        { selector: 'CallExpression[callee.property.name="setAttribute"][arguments.0.value=/^(style|srcdoc|on.*)$/]', message: NO_INLINE },
        { selector: 'CallExpression[callee.name="h"] > ObjectExpression > Property[key.name=/^(style|srcdoc)$/]', message: NO_INLINE },
      ],
    },
  },
  {
    files: ['crates/cutover-server/dashboard/**'],
    languageOptions: { globals: globals.browser },
    rules: { 'no-restricted-globals': ['error', ...LOOKALIKES] },
  },
  {
    // Node runs it; what it gives to a page's `evaluate` runs in the browser.
    files: ['clients/browser/**'],
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
    rules: { 'no-restricted-globals': ['error', ...LOOKALIKES] },
  },
  { files: ['plugins/**/build.mjs'], languageOptions: { globals: globals.node } },
  {
    // A component has the language and no host. A string that it throws is the error of a WIT `result<_, string>`.
    files: ['plugins/**/plugin.js'],
    rules: { 'no-throw-literal': 'off' },
  },
];
