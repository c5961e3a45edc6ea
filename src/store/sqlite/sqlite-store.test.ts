import { isBuiltin } from 'node:module';
import { storeSuite } from '../store.testsuite.js';
import { SqliteBench } from './bench.testsuite.js';

storeSuite('better-sqlite3', async () => new SqliteBench('better-sqlite3'));

// Node 20 has no SQLite of its own.
if (isBuiltin('node:sqlite')) storeSuite('node:sqlite', async () => new SqliteBench('node:sqlite'));
