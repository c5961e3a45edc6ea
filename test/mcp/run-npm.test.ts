import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { have, LEVELS, newProject, type Project, packDep, paths } from '../support/tools.js';

const QUIET = '--offline --no-audit --no-fund --no-update-notifier --loglevel=error';
const json = (value: object): string => JSON.stringify(value);

/** A project that needs a package which lies in it as an archive, so that no registry is asked. */
async function withDep(level: (typeof LEVELS)[number]): Promise<Project> {
  const project = await newProject(level, {
    'package.json': json({ name: 'root', private: true, scripts: { test: 'node --test' } }),
    'a.test.js': "require('node:test').test('a', () => require('dep/lib/7/7.js'));\n",
  });
  packDep(project, 'vendor/dep-1.0.0.tgz', '1.0.0');
  rmSync(join(project.root, 'node_modules'), { recursive: true });
  return project;
}

describe.skipIf(!have('npm', '--version')).each(LEVELS)('npm at level %s', (level) => {
  test('npm i of a package: manifest and lock are changes, the modules are there with their links', async () => {
    const project = await withDep(level);
    const ran = await project.run(`npm i ${QUIET} ./vendor/dep-1.0.0.tgz`);
    expect([paths(ran.changed), ran.rejected]).toEqual([['package-lock.json', 'package.json'], []]);
    expect(JSON.parse(project.text('package.json')).dependencies).toEqual({ dep: 'file:vendor/dep-1.0.0.tgz' });
    expect(readdirSync(join(project.root, 'node_modules/dep/lib'))).toHaveLength(20);
    expect(lstatSync(join(project.root, 'node_modules/.bin/dep')).isSymbolicLink()).toBe(true);
    expect((await project.run('node_modules/.bin/dep')).output).toBe('dep 1.0.0\n');
    packDep(project, 'vendor/dep-2.0.0.tgz', '2.0.0');
    await project.run(`npm i ${QUIET} ./vendor/dep-2.0.0.tgz`);
    expect((await project.run('node_modules/.bin/dep')).output).toBe('dep 2.0.0\n');
  });

  test('npm ci where there is no node_modules, and npm test on it', async () => {
    const project = await withDep(level);
    await project.run(`npm i ${QUIET} ./vendor/dep-1.0.0.tgz`);
    rmSync(join(project.root, 'node_modules'), { recursive: true });
    const ran = await project.run(`npm ci ${QUIET}`);
    expect([ran.changed, ran.rejected]).toEqual([[], []]);
    expect((await project.run('node_modules/.bin/dep; npm test --no-update-notifier')).output).toMatch(
      /^dep 1\.0\.0\n(.*\n)*# pass 1\n/,
    );
  });

  test('packages of one workspace: each has its dist, made anew each time', async () => {
    const build = (name: string): string =>
      json({ name, version: '1.0.0', scripts: { build: 'rm -rf dist && mkdir -p dist/sub && node ../../build.cjs' } });
    const project = await newProject(level, {
      'package.json': json({ name: 'root', private: true, workspaces: ['packages/*'] }),
      'packages/a/package.json': build('a'),
      'packages/b/package.json': build('b'),
      'build.cjs': "const fs = require('fs'); fs.writeFileSync('dist/sub/' + process.env.BUILD + '.js', '');\n",
    });
    const dist = (name: string): string[] => readdirSync(join(project.root, `packages/${name}/dist/sub`));
    await project.run(`npm i ${QUIET}`);
    expect(lstatSync(join(project.root, 'node_modules/a')).isSymbolicLink()).toBe(true);
    for (const build of ['first', 'second']) {
      const ran = await project.run('npm run build --workspaces --no-update-notifier', { env: [`BUILD=${build}`] });
      expect([ran.changed, ran.rejected]).toEqual([[], []]);
      expect([dist('a'), dist('b')]).toEqual([[`${build}.js`], [`${build}.js`]]);
    }
  });
});

test.skipIf(!have('npm', '--version') || !LEVELS.includes('transactional'))(
  'rm -rf node_modules && npm ci: what was there before is gone',
  async () => {
    const project = await withDep('transactional');
    await project.run(`npm i ${QUIET} ./vendor/dep-1.0.0.tgz`);
    project.write('node_modules/dep/lib/stray.js', '');
    const ran = await project.run(`rm -rf node_modules && npm ci ${QUIET} && node_modules/.bin/dep`);
    expect([ran.output.includes('dep 1.0.0\n'), ran.rejected]).toEqual([true, []]);
    expect(readdirSync(join(project.root, 'node_modules/dep/lib'))).toHaveLength(20);
  },
);
