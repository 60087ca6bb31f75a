// One frame's life out of recordings of secure guests: nothing of it is left out, and nothing of another frame is in it.
import { readFileSync } from 'node:fs';
import test from 'ava';
import { EventFilter } from './filter.ts';
import { MemorySource, RecordingReader } from './reader.ts';
import { EventText } from './report-text.ts';

function followed(name: string, gfn: number): { readonly shown: string[]; readonly hidden: string[] } {
  const reader = new RecordingReader(new MemorySource(readFileSync(`recordings/${name}.rec.cbor`), name));
  const text = new EventText(reader.header);
  const filter = new EventFilter({ followPage: gfn }, reader.header.kinds, text.devices);
  const shown: string[] = [];
  const hidden: string[] = [];
  reader.forEach((event, number) => {
    const line = text.line(event, number);
    (filter.admits(event, number) ? shown : hidden).push(line.replace(/^\d+ @\d+ [> ] /, ''));
  });
  return { shown, hidden };
}

test('a frame that is shared and taken back: every step of both tables, in order', (t) => {
  const { shown, hidden } = followed('secure-r36-share-and-unshare', 0xb0);
  const states = shown.filter((line) => line.startsWith('page-state'));
  t.deepEqual(
    states.map((line) => line.replace('page-state gfn=0xb0 ', '')),
    [
      'hypervisor: normal -> in-secure-memory',
      'ultravisor: secure -> hv-sharing',
      'hypervisor: in-secure-memory -> paged-out',
      'ultravisor: hv-sharing -> hv-shared',
      'hypervisor: paged-out -> shared',
      'ultravisor: hv-shared -> shared',
      'ultravisor: shared -> hv-unsharing',
      'hypervisor: shared -> in-secure-memory',
      'ultravisor: hv-unsharing -> hv-unshared',
      'ultravisor: hv-unshared -> secure',
    ],
  );
  t.false(hidden.some((line) => line.includes('gfn=0xb0')));
  t.false(shown.some((line) => line.includes('gfn=0xb1') || line.includes('0xb10000')));
  const calls = shown.filter((line) => /^(ucall|uv-hcall|hypervisor-ucall) /.test(line)).length;
  const returns = shown.filter((line) => line.includes('-return ')).length;
  t.is(calls, returns, 'every call that is shown comes with its answer');
});

test('a frame that a device spoils: the page-out, the write, the fault and the refusals', (t) => {
  const { shown, hidden } = followed('secure-r33-data-in-secure-frames', 0x43);
  const order = ['UV_PAGE_OUT', 'dma-write', 'guest-fault', 'UV_PAGE_IN', 'U_P3', 'H_PARAMETER'];
  let at = 0;
  for (const line of shown) if (line.includes(order[at] ?? '\0')) at++;
  t.is(at, order.length);
  t.false(
    hidden.some((line) => line.startsWith('dma-write 00:01.0 0x800000000430000')),
    'through the window',
  );
});
