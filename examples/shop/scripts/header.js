// Puts the licence line on top of every source file that does not have it yet.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const LINE = '// Shop, an example of Signalbox. Apache-2.0.\n';

for (const name of readdirSync('src').filter((name) => name.endsWith('.js'))) {
  const path = `src/${name}`;
  const text = readFileSync(path, 'utf8');
  if (text.startsWith(LINE)) continue;
  writeFileSync(path, LINE + text);
  console.log(`licence line added to ${path}`);
}
