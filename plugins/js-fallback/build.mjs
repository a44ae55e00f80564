// Makes the component: node build.mjs PLUGIN.js WIT-FOLDER COMPONENT.wasm
//
// Every feature of the engine that needs a host is off: a plugin has no clock, no randomness and no network.
import { componentize } from '@bytecodealliance/componentize-js';
import { writeFile } from 'node:fs/promises';

const [sourcePath, witPath, output] = process.argv.slice(2);
const { component, imports } = await componentize({
  sourcePath,
  witPath,
  worldName: 'fallback-plugin',
  disableFeatures: ['stdio', 'random', 'clocks', 'http', 'fetch-event'],
});
await writeFile(output, component);
console.log(`imports used by the script: ${JSON.stringify(imports)}`);
