import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { installsIn } from './installs.js';
import { startsServer, startsWatcher } from './live-programs.js';
import { programsIn } from './programs.js';
import { simpleCommands } from './words.js';

describe('the simple commands of a line', () => {
  test.each([
    ['a b; c && d || e | f & g', [['a', 'b'], ['c'], ['d'], ['e'], ['f'], ['g']]],
    ['(a b)\nc', [['a', 'b'], ['c']]],
    ['a \'b; c\' "d && e" f\\;g', [['a', 'b; c', 'd && e', 'f;g']]],
    ['a "$B; c" $(d e) `f`', [['a', '$B; c', '$'], ['d', 'e'], ['`f`']]],
    ['a 2>&1 | b > log c 2>/dev/null &> all', [['a'], ['b', 'c']]],
    ['a>log<in b', [['a', 'b']]],
    ['a # b; c\nd#e', [['a'], ['d#e']]],
    ['a # b', [['a']]],
    ['a \\\n  b', [['a', 'b']]],
    ['a *.ts [b] {c,d} ~', [['a', '*.ts', '[b]', '{c,d}', '~']]],
    ['cat <<EOF\nb\nEOF', [['cat']]],
    ['cat <<< a', [['cat']]],
    ['a "b', [['a', 'b']]],
    ['a >', [['a']]],
    ['', []],
    [' ; ', []],
  ])('%j', (line, commands) => {
    expect(simpleCommands(line)).toEqual(commands);
  });

  test('every line is read to its end', () => {
    const piece = fc.constantFrom(
      'a',
      ' ',
      ';',
      '&',
      '|',
      '"',
      "'",
      '\\',
      '$',
      '(',
      ')',
      '<',
      '>',
      '#',
      '\n',
      '{',
      '2',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        for (const words of simpleCommands(pieces.join(''))) expect(words.length).toBeGreaterThan(0);
      }),
    );
  });
});

test.each([
  ['cd a && b', [['b', 'a']]],
  [
    'cd a; cd b; c; cd /d; e; cd; f; cd $G; h',
    [
      ['c', 'a/b'],
      ['e', '/d'],
      ['f', '/d'],
      ['h', '/d'],
    ],
  ],
  ['cd -P a; b', [['b', 'a']]],
  ['A=1 B= env -u C -i D=2 nohup time nice -n 5 ./bin/x y', [['x', '.']]],
  ['timeout -s KILL 5 a', [['a', '.']]],
  ['npx -y vite@5 dev', [['vite', '.']]],
  ['pnpm exec tsc', [['tsc', '.']]],
  ['python3.11 -u manage.py runserver', [['manage.py', '.']]],
  ['python -W ignore -m http.server', [['http.server', '.']]],
  ['python3', [['python3', '.']]],
  ['python3 -m', [['python3', '.']]],
  ['! a', [['a', '.']]],
  ['A=1', []],
])('the programs of %j', (line, programs) => {
  expect(programsIn(line).map(({ name, folder }) => [name, folder])).toEqual(programs);
});

describe('what installs', () => {
  test.each([
    ['npm ci', ['npm .']],
    ['npm ci 2>&1 | tail -5', ['npm .']],
    ['cd pkg && npm ci', ['npm pkg']],
    ['cd a && npm i; cd ../b && yarn', ['npm a', 'yarn a/../b']],
    ['npm --prefix x ci', ['npm x']],
    ['npm ci --prefix=x', ['npm x']],
    ['cd a && npm -C x install', ['npm a/x']],
    ['npm install-test', ['npm .']],
    ['npm -w web i left', ['npm .']],
    ['npm audit fix', ['npm .']],
    ['NODE_ENV=x npm ci', ['npm .']],
    ['npm ci --prefix', ['npm .']],
    ['python3 -m pip install x', ['pip .']],
    ['pip3 install -r r.txt', ['pip3 .']],
    ['uv pip install x', ['uv .']],
    ['uv pip sync r.txt', ['uv .']],
    ['uv --directory x add y', ['uv x']],
    ['pnpm -r install', ['pnpm .']],
    ['pnpm --filter web add x', ['pnpm .']],
    ['yarn --frozen-lockfile', ['yarn .']],
    ['yarn', ['yarn .']],
    ['yarn 2>&1 | tail', ['yarn .']],
    ['yarn --cwd x', ['yarn x']],
    ['yarn workspace web add x', ['yarn .']],
    ['corepack pnpm i', ['pnpm .']],
    ['bun add x', ['bun .']],
    ['poetry -C x lock', ['poetry x']],
    ['cargo +nightly add serde', ['cargo .']],
    ['cargo add serde --manifest-path a/b/Cargo.toml', ['cargo a/b']],
    ['cargo add serde --manifest-path Cargo.toml', ['cargo .']],
    ['go mod tidy', ['go .']],
    ['bundle', ['bundle .']],
    ['composer require x', ['composer .']],
  ])('%s', (line, installs) => {
    expect(installsIn(line).map(({ tool, folder }) => `${tool} ${folder}`)).toEqual(installs);
  });

  test.each([
    'npm test',
    'npm run ci',
    'npm',
    'npm audit',
    'npm install --help',
    'npm ci --dry-run',
    'yarn --version',
    'yarn build',
    'yarn workspace web build',
    'yarn workspace',
    'pip list',
    'uv run pytest',
    'go build ./...',
    'go mod',
    'cargo build',
    'echo npm install',
    'grep "npm install" README.md',
    "git commit -m 'npm ci && x'",
    'cat > x <<EOF\nnpm ci\nEOF',
  ])('not: %s', (line) => {
    expect(installsIn(line)).toEqual([]);
  });
});

const SERVERS = [
  'npm start',
  'npm run dev',
  'npm run dev -- --port 3',
  'npm run dev:web',
  'npm --prefix web run start',
  'cd web && pnpm dev',
  'pnpm --filter web dev',
  'yarn workspace web dev',
  'yarn vite',
  'bun run serve',
  'vite',
  'vite --port 3',
  'npx vite dev',
  'npx vite',
  'vite preview',
  'next dev',
  'next start -p 3',
  'webpack serve --mode development',
  'webpack --mode development serve',
  'npx webpack-dev-server',
  'uvicorn app:app --reload',
  'python -m uvicorn app:app',
  'python manage.py runserver',
  'python3 -m http.server 8000',
  'flask --app x run',
  'bin/rails s',
  'php -S localhost:8000',
  'php artisan serve',
  'PORT=3 npm run dev &',
];
const WATCHERS = [
  'tsc -w',
  'npx tsc -p . --watch',
  'nodemon',
  'nodemon x.js',
  'vitest --watch',
  'vitest watch',
  'yarn vitest watch',
  'jest --watchAll',
  'node --watch x.js',
  'esbuild a.ts --watch=forever',
  'vite build --watch',
  'npm run watch',
  'npm run watch:css',
  'npm run test:watch',
  'npm test -- --watch',
  'cargo watch -x test',
  'tsx watch a.ts',
];
const NEITHER = [
  'git log --watch',
  'git log -w',
  'gh run list --watch',
  'kubectl get pods --watch',
  'npm test',
  'npm run build',
  'npm run',
  'yarn workspace',
  'flask',
  'npm -w web test',
  'vite build',
  'vite --help',
  'next build',
  'webpack --mode production',
  'webpack serve --help',
  'tsc',
  'vitest run',
  'vitest --watch=false',
  'jest -w 4',
  'python manage.py migrate',
  'php x.php',
  'echo npm run dev',
  'yarn',
  '',
];

describe('what runs live', () => {
  test.each(SERVERS)('a server: %s', (line) => {
    expect(startsServer(line)).toBe(true);
  });
  test.each(WATCHERS)('a watcher: %s', (line) => {
    expect([startsWatcher(line), startsServer(line)]).toEqual([true, false]);
  });
  test.each(NEITHER)('neither: %s', (line) => {
    expect([startsWatcher(line), startsServer(line)]).toEqual([false, false]);
  });
});
