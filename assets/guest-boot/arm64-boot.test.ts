import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostArchitecture, openCurrentAssetSet } from '../../shared/assets/asset-folder.ts';
import { readAssetsConfig } from '../config.ts';
import { bootGuest } from './boot-guest.ts';
import { callAgent } from './call-agent.ts';

test('the arm64 guest boots, under emulation where the host is another', async () => {
  const { assetsDir } = readAssetsConfig();
  const host = await openCurrentAssetSet(assetsDir, hostArchitecture());
  const set = await openCurrentAssetSet(assetsDir, 'arm64');
  await using guest = await bootGuest({ host, guest: set });
  const hello = await callAgent(guest.agent.hello.bind(guest.agent), {});
  assert.equal(hello.arch, 'arm64');
  assert.equal(hello.kernelRelease, set.contents.kernelRelease);
  assert.equal(hello.agentVersion, set.contents.agentSource);
  const inspected = await callAgent(guest.agent.inspect.bind(guest.agent), { tailLines: 5 });
  assert.match(inspected.mounts, /cgroup2 \/sys\/fs\/cgroup/);
});
