#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

// Static imports would run before this line, so the program comes in by a dynamic one.
enableCompileCache();
const { main } = await import('./main.ts');
process.exitCode = await main(process.argv.slice(2));
