import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test } from 'node:test';
import { execa } from 'execa';
import type { Finding } from './finding.ts';

const limitMs = 60_000;

async function doctor(environment: Record<string, string>, ...words: string[]) {
  const { exitCode, stdout, stderr } = await execa(
    process.execPath,
    [path.join(import.meta.dirname, 'main.ts'), ...words],
    {
      env: { PATH: process.env['PATH'] ?? '', ...environment },
      extendEnv: false,
      reject: false,
      timeout: limitMs,
    },
  );
  return { exitCode, stdout, stderr };
}

const findingsIn = (json: string): Map<string, Finding> =>
  new Map((JSON.parse(json) as { items: Finding[] }).items.map((finding) => [finding.name, finding]));

suite('doctor', () => {
  test('says what to mend, and how; exit code 1', async () => {
    const home = await mkdtemp(path.join(tmpdir(), 'dormouse-doctor-'));
    const other = createServer((_request, response) => response.writeHead(404).end('not this one'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const environment = {
      DORMOUSE_HOME: home,
      DORMOUSE_ASSETS: path.join(home, 'none'),
      DORMOUSE_PORT: String(port),
      DORMOUSE_REDIS_URL: 'redis://127.0.0.1:1',
      DORMOUSE_STORE: `file://${path.join(home, 'a-file', 'store')}`,
      PATH: home,
    };
    try {
      const { exitCode, stdout } = await doctor(environment, '-o', 'json');
      const findings = findingsIn(stdout);
      assert.equal(exitCode, 1);
      for (const name of ['tools', 'assets', 'redis', 'port']) {
        const finding = findings.get(name);
        assert.deepEqual([finding?.verdict, finding?.mend !== undefined], ['mend', true], `${name}: ${finding?.says}`);
      }
      assert.match(findings.get('tools')?.mend ?? '', /apt-get install redis-server nftables/);
      assert.match(findings.get('port')?.says ?? '', /something else answers/);
      const table = await doctor(environment);
      assert.match(table.stdout, /^mend {2}tools +missing: .*\n +→ Run `npm run setup`/m);
      assert.match(table.stdout, /\d to mend$/);
    } finally {
      other.closeAllConnections();
      other.close();
      await rm(home, { recursive: true });
    }
  });

  test('a store that takes writes and a free port are found so; KVM counts by what a node found out', async () => {
    const home = await mkdtemp(path.join(tmpdir(), 'dormouse-doctor-'));
    try {
      const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
      await writeFile(path.join(home, 'accelerator.json'), JSON.stringify({ bootId, accelerator: 'tcg' }));
      const environment = {
        DORMOUSE_HOME: home,
        DORMOUSE_ASSETS: home,
        DORMOUSE_PORT: '0',
        DORMOUSE_STORE: `file://${home}`,
      };
      const findings = findingsIn((await doctor(environment, '--output=json')).stdout);
      assert.deepEqual(
        ['store', 'port', 'redis', 'tools'].map((name) => findings.get(name)?.verdict),
        ['ok', 'ok', 'ok', 'ok'],
        JSON.stringify([...findings.values()]),
      );
      assert.equal(findings.get('kvm')?.verdict, 'note');
    } finally {
      await rm(home, { recursive: true });
    }
  });

  test('a wrong setting or option is exit code 2', async () => {
    const [setting, option, help] = await Promise.all([
      doctor({ DORMOUSE_PORT: 'many' }),
      doctor({}, '--nope'),
      doctor({}, '--help'),
    ]);
    assert.deepEqual([setting.exitCode, option.exitCode, help.exitCode], [2, 2, 0]);
    assert.match(setting.stderr, /DORMOUSE_PORT/);
  });
});
