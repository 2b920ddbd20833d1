// The one file in JavaScript: to run TypeScript, Node first loads a compiler that takes the types out, some 18 MiB. What that and V8
// made of main.ts and all its imports is kept here, so only the first start needs it. The compiled gateway needs neither.
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// Not the default, a folder of the system's that anyone may have made. Threads and workers read it from the environment.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('../node_modules/.cache/compile', import.meta.url));
enableCompileCache(process.env.NODE_COMPILE_CACHE);
await import('../src/main.ts');
