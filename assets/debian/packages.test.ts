import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIndex, parseInstallPlan } from './packages.ts';

test('a simulated installation names packages and versions', () => {
  const plan = `Inst libc6 (2.41-12+deb13u5 Debian:13.1/stable [amd64])
Inst libgcc-s1:arm64 (14.2.0-19 Debian:13.1/stable [arm64]) []
Conf libc6 (2.41-12+deb13u5 Debian:13.1/stable [amd64])
Inst qemu-system-x86 (1:10.0.13+ds-0+deb13u1 Debian:13.1/stable, Debian-Security:13/stable-security [amd64])
`;
  assert.deepEqual(parseInstallPlan(plan), [
    { name: 'libc6', version: '2.41-12+deb13u5' },
    { name: 'libgcc-s1', version: '14.2.0-19' },
    { name: 'qemu-system-x86', version: '1:10.0.13+ds-0+deb13u1' },
  ]);
});

test('the index has one stanza for each version; one without a digest is of no use', () => {
  const stanzas = `Package: crun
Version: 1.21-1
Description: a runtime
 Version: of nothing
SHA256: ${'a'.repeat(64)}

Package: crun
SHA256: ${'b'.repeat(64)}
Version: 1.20-1

Package: virtual
Version: 1
`;
  assert.deepEqual(parseIndex(stanzas), [
    { name: 'crun', version: '1.21-1', sha256: 'a'.repeat(64) },
    { name: 'crun', version: '1.20-1', sha256: 'b'.repeat(64) },
  ]);
});
