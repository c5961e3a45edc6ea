import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stdioAgent } from '../support/agents.js';
import { have, LEVELS, newProject, paths } from '../support/tools.js';

const PACKAGE = JSON.stringify({ name: 'project', type: 'module', private: true });
const needs = (...programs: string[]) => test.skipIf(!programs.every((program) => have(program, '--version')));

describe.each(LEVELS)('real tools at level %s', (level) => {
  test('git log, diff, status, grep and blame tell what is', async () => {
    const project = await newProject(level, { 'a.txt': 'one\n' });
    const { output } = await project.run(
      'echo two >> a.txt; git log --format=%s; git diff --stat; git status --short; git grep -n two; git blame -s a.txt | wc -l',
    );
    expect(output).toMatch(/^Begin\n a\.txt \| 1 \+\n .*\n M a\.txt\na\.txt:2:two\n2\n$/);
    expect(project.git('status', '--short')).toBe(' M a.txt\n');
  });

  test('tsc: types are checked, dist and the record of the build are kept', async () => {
    const options = { strict: true, outDir: 'dist', rootDir: 'src', module: 'nodenext', incremental: true, types: [] };
    const project = await newProject(
      level,
      {
        '.gitignore': 'node_modules/\ndist/\n*.tsbuildinfo\n',
        'package.json': PACKAGE,
        'tsconfig.json': JSON.stringify({ compilerOptions: options, include: ['src'] }),
        'src/a.ts': 'export const a: number = 1;\n',
        'src/deep/b.ts': "import { a } from '../a.js';\nconsole.log('b' + a);\n",
      },
      ['typescript'],
    );
    const built = await project.run('node_modules/.bin/tsc -p . && node dist/deep/b.js');
    expect([built.output, built.changed, built.rejected]).toEqual(['b1\n', [], []]);
    expect(existsSync(join(project.root, 'tsconfig.tsbuildinfo'))).toBe(true);
    const wrong = await project.agent.ok('run', {
      scope: project.scope,
      command: 'echo \'export const a: number = "x";\' > src/a.ts; node_modules/.bin/tsc -p .',
    });
    expect(wrong.exit_code).not.toBe(0);
    expect(wrong.output).toContain("Type 'string' is not assignable");
    expect(paths(wrong.changed)).toEqual(['src/a.ts']);
  });

  test('vitest: tests run, and a snapshot that it writes is a change', async () => {
    const project = await newProject(
      level,
      {
        'package.json': PACKAGE,
        'a.test.ts': "import { expect, test } from 'vitest';\ntest('a', () => expect({ a: 1 }).toMatchSnapshot());\n",
      },
      ['vitest'],
    );
    const ran = await project.run('node_modules/.bin/vitest run --no-color', { env: ['CI='] });
    expect(ran.output).toMatch(/Snapshots +1 written(?:.*\n)*.*Tests +1 passed/);
    expect([paths(ran.changed), ran.rejected]).toEqual([['__snapshots__/a.test.ts.snap'], []]);
    expect((await project.run('node_modules/.bin/vitest run --no-color')).output).toMatch(/Tests +1 passed/);
  });

  needs('make', 'gcc')('make with gcc: built once, then up to date; clean removes it', async () => {
    const project = await newProject(level, {
      '.gitignore': '*.o\nout/\n',
      Makefile:
        'out/prog: main.o\n\tmkdir -p out\n\tgcc -o $@ main.o\nmain.o: main.c\n\tgcc -c main.c\nclean:\n\trm -rf out *.o\n',
      'main.c': '#include <stdio.h>\nint main(void) { puts("made"); return 0; }\n',
    });
    const built = await project.run('make && out/prog');
    expect([built.output.endsWith('made\n'), built.changed, built.rejected]).toEqual([true, [], []]);
    expect((await project.run('make')).output).toMatch(/up to date/);
    await project.run('make clean');
    expect(['out', 'main.o'].map((path) => existsSync(join(project.root, path)))).toEqual([false, false]);
    expect((await project.run('make && make')).output).toMatch(/gcc -o(.*\n)*.*up to date/);
  });

  const pytest = have('python3', '-m', 'pytest', '--version');
  test.skipIf(!pytest)('pytest: its caches are scratch, also where the repository does not say so', async () => {
    const project = await newProject(level, {
      '.gitignore': '__pycache__/\n',
      'tests/test_a.py': 'def test_a():\n    assert 1 + 1 == 2\n',
    });
    for (const _ of [1, 2]) {
      const ran = await project.run('python3 -m pytest -q tests');
      expect(ran.output).toMatch(/1 passed/);
      expect([ran.changed, ran.rejected]).toEqual([[], []]);
    }
    expect(['.pytest_cache/v', 'tests/__pycache__'].map((path) => existsSync(join(project.root, path)))).toEqual([
      true,
      true,
    ]);
    expect(project.git('status', '--short')).toBe('');
  });

  needs('cargo')('cargo: target is scratch, the lock file is a change', async () => {
    const project = await newProject(level, {
      '.gitignore': 'target/\n',
      'Cargo.toml': '[package]\nname = "thing"\nversion = "0.1.0"\nedition = "2021"\n',
      'src/main.rs': 'fn main() { println!("crate runs"); }\n',
    });
    const ran = await project.run('cargo run --quiet --offline');
    expect([ran.output, paths(ran.changed), ran.rejected]).toEqual(['crate runs\n', ['Cargo.lock'], []]);
    expect((await project.run('cargo run --offline 2>&1')).output).not.toContain('Compiling');
    if (level === 'transactional')
      expect((await project.run('cargo clean --offline && cargo build --offline 2>&1')).output).toContain('Compiling');
  });
});

const transactional = LEVELS.includes('transactional');

test.skipIf(!transactional)('a formatter over the whole tree keeps what is free and is told what is held', async () => {
  const ugly = 'export const  a=1\n';
  const project = await newProject(
    'transactional',
    { 'package.json': PACKAGE, 'src/a.ts': ugly, 'src/b.ts': ugly, 'lib/c.ts': ugly, 'dist/d.ts': ugly },
    ['@biomejs/biome'],
  );
  await project.agent.ok('release_scope', { scope: project.scope });
  const ben = await stdioAgent(project.root, 'ben');
  await ben.ok('claim_scope', { title: 'Library', units: ['lib/'] });
  const { scope } = await project.agent.ok('claim_scope', { title: 'Format', units: ['src/a.ts'] });
  const command = 'node_modules/.bin/biome format --write .';
  const ran = await project.agent.ok('run', { scope, command });
  expect(ran).toMatchObject({ exit_code: 0, rejected: [{ path: 'lib/c.ts' }] });
  expect(ran.rejected[0].reason).toMatch(/^HELD: lib\/.* is held by S002 \(ben: Library\)\. .*claim_scope/);
  expect(paths(ran.changed)).toEqual(expect.arrayContaining(['src/a.ts', 'src/b.ts']));
  const [neat, still] = [project.text('src/b.ts'), project.text('lib/c.ts')];
  expect([neat, still]).toEqual(['export const a = 1;\n', ugly]);
});

const venv =
  transactional && have('python3', '-m', 'ensurepip', '--version') && have('python3', '-m', 'venv', '--help');
test.skipIf(!venv)('pip install into a virtual environment', { timeout: 180_000 }, async () => {
  const project = await newProject('transactional', { '.gitignore': '.venv/\n', 'make_wheel.py': WHEEL });
  const made = await project.run('python3 -m venv .venv && python3 make_wheel.py');
  expect([paths(made.changed), made.rejected]).toEqual([['thing-1.0-py3-none-any.whl'], []]);
  expect(lstatSync(join(project.root, '.venv/bin/python')).isSymbolicLink()).toBe(true);
  const install = '.venv/bin/pip install --quiet --no-index --disable-pip-version-check ./thing-1.0-py3-none-any.whl';
  const ran = await project.run(`${install} && .venv/bin/python -c "import thing; print(thing.X)"`);
  expect([ran.output, ran.changed, ran.rejected]).toEqual(['7\n', [], []]);
  const outside = execFileSync(join(project.root, '.venv/bin/python'), ['-c', 'import thing; print(thing.X)']);
  expect(String(outside)).toBe('7\n');
  expect((await project.run('.venv/bin/pip uninstall --quiet --yes thing && .venv/bin/pip list')).output).not.toContain(
    'thing',
  );
});

/** A package as pip takes it, made without a build tool. */
const WHEEL = `import zipfile
info = 'thing-1.0.dist-info/'
files = {
    'thing.py': 'X = 7\\n',
    info + 'METADATA': 'Metadata-Version: 2.1\\nName: thing\\nVersion: 1.0\\n',
    info + 'WHEEL': 'Wheel-Version: 1.0\\nGenerator: hand\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n',
}
files[info + 'RECORD'] = ''.join(name + ',,\\n' for name in [*files, info + 'RECORD'])
with zipfile.ZipFile('thing-1.0-py3-none-any.whl', 'w') as wheel:
    for name, text in files.items():
        wheel.writestr(name, text)
`;
