import fc from 'fast-check';

/** A tool call as no client would make it, or nearly as one would. */
export interface WildCall {
  readonly tool: string;
  readonly args: { readonly [name: string]: unknown };
}

/** Values that once went wrong somewhere: in paths, in JSON, in SQL, in shells, in terminals. */
const NASTY = [
  '',
  '.',
  '..',
  './',
  '/',
  '../outside/secret',
  'a/../../outside/secret',
  '/etc/passwd',
  '..\\outside',
  'C:\\x',
  '..%2foutside',
  'link/secret',
  'a\0b',
  '\u202egnp.exe',
  '\u200b',
  '\ud800',
  '\x1b[31m',
  '__proto__',
  'constructor',
  "'; DROP TABLE scopes; --",
  '%_%',
  '$(touch pwned)',
  '-rf',
  '.git/config',
  '.GIT/config',
  '.signalbox/key',
  'signalbox.yaml',
  '.mcp.json',
  '.claude/settings.json',
  'process:',
  'process:../x',
  '{{{{,,,,}}}}',
  '[[[[',
  '*'.repeat(200),
  'x'.repeat(300),
  `${'d/'.repeat(2_000)}f`,
  'S001',
  'S001-aaaaaa',
  'S999999999999999999999',
  'artifact:0',
  'src/a.txt:0-99999999999',
  '<script>alert(1)</script>',
];

const text = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...NASTY) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 6, arbitrary: fc.constantFrom('src/a.txt', 'src/b.txt', 'src/', 'new/c.txt', '**/*.txt', 'process:build') },
);
const number = fc.oneof(fc.constantFrom(-1, 0, 1, 2.5, 1e308, Number.MAX_SAFE_INTEGER), fc.double({ noNaN: true }));
const json = fc.jsonValue({ maxDepth: 4 });

/** Mostly what belongs there, now and then anything. */
function or(arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 28, arbitrary },
    { weight: 1, arbitrary: json },
    { weight: 1, arbitrary: fc.constantFrom(...NASTY) },
  );
}

const texts = or(fc.array(text, { maxLength: 4 }));
const version = fc.oneof(text, fc.constant('0123456789'));
const words = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('one', 'two', 'b', 'one\ntwo') },
  { weight: 1, arbitrary: text },
);
const edit = fc.oneof(
  fc.record({ path: text, old_string: or(words), new_string: or(words) }),
  fc.record({ path: text, content: or(words) }),
  fc.record({ path: text, delete: fc.constant(true), base: or(version) }),
  fc.record({ path: text, move_to: or(text), base: or(version) }),
  fc.record(
    { path: or(text), old_string: or(text), replace_all: or(fc.boolean()), content: or(text), base: or(version) },
    { requiredKeys: [] },
  ),
);
const diffLine = fc.constantFrom(
  '--- a/src/a.txt',
  '+++ b/src/a.txt',
  '+++ b/../outside/secret',
  '+++ /dev/null',
  '@@ -1,2 +1,3 @@',
  '@@ -0,0 +1 @@',
  '@@',
  ' one',
  '-one',
  '+two',
  '\\ No newline at end of file',
  'rename to .git/config',
  'new file mode 120000',
  '*** Begin Patch',
  '*** Update File: src/a.txt',
  '*** Add File: ../outside/x',
  '*** Delete File: src/b.txt',
  '*** Move to: .mcp.json',
  '*** End Patch',
  'Binary files a/x and b/x differ',
);
const diff = fc.array(diffLine, { maxLength: 14 }).map((lines) => `${lines.join('\n')}\n`);
const scope = or(text);

type Fields = { readonly [name: string]: fc.Arbitrary<unknown> };

/** `needed` are always there, the others seldom. */
function call(tool: string, needed: Fields, others: Fields = {}): fc.Arbitrary<WildCall> {
  const seldom = Object.entries(others).map(([name, value]) =>
    fc.oneof(
      { weight: 6, arbitrary: fc.constant({}) },
      { weight: 1, arbitrary: value.map((found) => ({ [name]: found })) },
    ),
  );
  const some = fc.oneof(
    { weight: 9, arbitrary: fc.record(needed) },
    { weight: 1, arbitrary: fc.record(needed, { requiredKeys: [] }) },
  );
  const args = fc.tuple(some, ...seldom).map((parts): object => Object.assign({}, ...parts));
  const odd = fc.dictionary(fc.oneof(fc.constantFrom('__proto__', 'path', 'Scope', 'unit'), fc.string()), json, {
    maxKeys: 2,
  });
  return fc
    .tuple(args, fc.oneof({ weight: 12, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: odd }))
    .map(([known, more]) => ({
      tool,
      args: { ...more, ...known },
    }));
}

const nobodyWaits = fc.constantFrom<unknown>(0, 0, 0, '0');
const phase = or(fc.constantFrom('build', 'test', 'iterate'));

const replaced = fc
  .constantFrom('src/a.txt', 'src/b.txt')
  .map((path) => [{ path, old_string: path === 'src/b.txt' ? 'b' : 'two', new_string: 'two' }]);

/** All tools; no command is made up, because whatever is one would run. Nobody waits. */
export const wildCalls: fc.Arbitrary<WildCall> = fc.oneof(
  call('patch', { edits: replaced }),
  call('read', { paths: texts }),
  call('patch', { edits: or(fc.array(edit, { minLength: 1, maxLength: 3 })) }, { scope }),
  call('patch', { diff: or(diff) }, { scope }),
  call(
    'run',
    { command: fc.constantFrom('true', 'false', 'echo x > src/a.txt', 'cat src/a.txt') },
    { scope, cwd: or(text), env: texts },
  ),
  call(
    'run',
    { run: or(fc.constantFrom('R001', 'R002')) },
    { from: or(number), stop: or(fc.boolean()), wait_s: nobodyWaits },
  ),
  call(
    'claim_scope',
    { units: texts, wait_s: nobodyWaits },
    {
      title: or(text),
      scope,
      mode: or(fc.constantFrom('read', 'write')),
      phase,
      consumes: texts,
      produces: texts,
      agent: or(text),
    },
  ),
  call(
    'publish_output',
    { summary: or(text) },
    {
      scope,
      status: or(fc.constantFrom('done', 'progress', 'failed')),
      artifacts: or(fc.array(json)),
      branch: or(text),
    },
  ),
  call('open_scope', { title: or(text) }, { note: or(text), units: texts, phase, consumes: texts, produces: texts }),
  call('release_scope', {}, { scope, reason: or(text), changes: or(fc.constantFrom('keep', 'revert')) }),
  call('list_scopes', {}, { id: scope, path: or(text), status: or(text), phase, mine: or(fc.boolean()) }),
);
