// JavaScript, and alone in that: what loads it takes the types out of main.ts and all that it imports, a compiler of 18 MiB and
// more, which what is kept here spares every start but the first. The compiled gateway does without both.
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// Not the default, a folder of the system's that anyone may have made. Threads and workers read it from the environment.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('../node_modules/.cache/compile', import.meta.url));
enableCompileCache(process.env.NODE_COMPILE_CACHE);
await import('../src/main.ts');
