import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { guestOf, readOsinfo } from './osinfo.ts';

const os = (id: string, body: string): string =>
  `<libosinfo><os id="http://example.org/${id}">${body}</os></libosinfo>`;
const device = (id: string): string => `<devices><device id="http://pcisig.com/pci/1af4/${id}"/></devices>`;

test('systems with a ppc64 medium are found, with the devices that they inherit', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'papyrus-osinfo-'));
  mkdirSync(join(folder, 'os/example.org'), { recursive: true });
  const files = {
    'one-1.xml': os(
      'one/1',
      `<short-id>one1</short-id><name>One 1</name><release-date>2014-01-01</release-date>${device('1001')}<media arch="ppc64"/>`,
    ),
    'one-2.xml': os(
      'one/2',
      `<short-id>one2</short-id><name>One 2</name><release-date>2018-01-01</release-date><eol-date>2023-01-01</eol-date><derives-from id="http://example.org/one/1"/>${device('1042')}<tree arch="ppc64le"/>`,
    ),
    'two.xml': os('two', '<short-id>two</short-id><media arch="x86_64"/>'),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'os/example.org', name), text);
  const { total, entries } = await readOsinfo(folder);
  rmSync(folder, { recursive: true });
  t.is(total, 3);
  t.deepEqual(
    entries.map(({ shortId, virtio }) => [shortId, virtio]),
    [
      ['one1', 'legacy'],
      ['one2', 'virtio-1.0'],
    ],
  );
  const [old, late] = entries.map(guestOf);
  t.deepEqual(old?.traits.transports, ['legacy']);
  t.true(old?.traits.bigEndian);
  t.true(late?.traits.acksPlatform);
  t.is(late?.supportEnds, '2023-01-01');
});

test('without the database one sentence says which package to install', async (t) => {
  await t.throwsAsync(readOsinfo('/nowhere/osinfo'), {
    name: 'UsageError',
    message: /apt-get install osinfo-db/,
  });
});
