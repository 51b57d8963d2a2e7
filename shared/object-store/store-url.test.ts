import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DormouseError } from '../errors/dormouse-error.ts';
import { openObjectStore } from './open.ts';
import { parseStoreUrl } from './store-url.ts';

test('the three forms are read', () => {
  assert.deepEqual(parseStoreUrl('file:///var/lib/a%20b'), { scheme: 'file', folder: '/var/lib/a b' });
  assert.deepEqual(parseStoreUrl('s3://bucket'), { scheme: 's3', bucket: 'bucket', prefix: '' });
  assert.deepEqual(parseStoreUrl('s3://my.bucket/a/b/?endpoint=http%3A%2F%2F127.0.0.1%3A9000&region=eu-central-1'), {
    scheme: 's3',
    bucket: 'my.bucket',
    prefix: 'a/b/',
    endpoint: 'http://127.0.0.1:9000',
    region: 'eu-central-1',
  });
  assert.deepEqual(parseStoreUrl('gs://bucket/a?endpoint=http://127.0.0.1:4443'), {
    scheme: 'gs',
    bucket: 'bucket',
    prefix: 'a/',
    endpoint: 'http://127.0.0.1:4443',
  });
});

const wrong: [url: string, says: RegExp][] = [
  ['', /not a URL/],
  ['/var/lib/store', /not a URL/],
  ['ftp://bucket', /scheme is none of file:\/\/ s3:\/\/ gs:\/\//],
  ['file://var/lib', /three slashes; var/],
  ['file:///', /absolute path/],
  ['file:///a?endpoint=http://x', /endpoint has no meaning/],
  ['s3://', /bucket name/],
  ['s3://ab', /bucket name/],
  ['s3://bucket/a//b', /prefix/],
  ['s3://bucket/../b c', /prefix/],
  ['s3://bucket/.hidden', /prefix/],
  ['s3://bucket?endpoint=127.0.0.1:9000', /endpoint is not an http/],
  ['s3://bucket?endpoint=ftp://x', /endpoint is not an http/],
  ['s3://bucket?regoin=eu', /parameter regoin is unknown/],
  ['s3://bucket?region=a&region=b', /parameter region is unknown or repeated/],
  ['s3://bucket?region=', /region is not a name/],
  ['s3://bucket?bucket=other', /parameter bucket is unknown/],
  ['gs://bucket?region=eu', /region has no meaning/],
  ['gs://bucket#x', /#x/],
];
for (const [url, says] of wrong) {
  test(`refused: ${url}`, async () => {
    await assert.rejects(openObjectStore(url), (error) => {
      assert.ok(error instanceof DormouseError);
      assert.equal(error.code, 'invalid-configuration');
      assert.match(error.message, says);
      return true;
    });
  });
}

test('credentials in a URL are refused and not repeated', async () => {
  await assert.rejects(openObjectStore('s3://key:sesame@bucket'), (error) => {
    assert.match(String(error), /holds credentials/);
    assert.doesNotMatch(String(error), /sesame/);
    return true;
  });
});

test('any text is a store that is safe to use, or a refusal of the configuration', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.webUrl({ withQueryParameters: true, withFragments: true }),
    fc.stringMatching(/^(file|s3|gs):\/\/[a-z0-9./_%?&=@:#-]{0,60}$/),
  );
  fc.assert(
    fc.property(texts, (text) => {
      let parsed: ReturnType<typeof parseStoreUrl>;
      try {
        parsed = parseStoreUrl(text);
      } catch (error) {
        assert.ok(error instanceof DormouseError && error.code === 'invalid-configuration', String(error));
        return;
      }
      if (parsed.scheme === 'file') assert.match(parsed.folder, /^\/./);
      else assert.ok(!parsed.prefix.split('/').some((segment) => segment.startsWith('.')) && /\w/.test(parsed.bucket));
    }),
    { numRuns: 1000 },
  );
});
