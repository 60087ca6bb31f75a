import test from 'ava';
import { EVENT_KINDS, KIND, MachineEvent } from './tap.ts';

test('a field is one 64-bit word, and two 32-bit ones', (t) => {
  const event = new MachineEvent();
  event.fields[3] = 0x1122334455667788n;
  t.is(event.words[6], 0x55667788);
  t.is(event.words[7], 0x11223344);
  event.small(3, 0xffffffff);
  t.is(event.fields[3], 0xffffffffn);
});

test('the numbers of event kinds are what recordings hold: rows are only added at the end', (t) => {
  t.deepEqual(
    EVENT_KINDS.map((kind) => kind.name),
    [
      'hcall',
      'hcall-return',
      'rtas',
      'rtas-return',
      'mmio-read',
      'mmio-write',
      'pio-read',
      'pio-write',
      'read-value',
      'dma-read',
      'dma-write',
      'dma-fault',
      'hypervisor-read',
      'hypervisor-write',
      'interrupt',
      'cpu-interrupt',
      'advance',
      'idle',
      'choice',
      'cpu-mode',
      'machine-reset',
      'host-input',
      'host-output',
      'guest-write',
      'ending',
      'discard',
      'ucall',
      'ucall-return',
      'hypervisor-ucall',
      'hypervisor-ucall-return',
      'uv-hcall',
      'uv-hcall-return',
      'reflect',
      'reflect-return',
      'page-state',
      'vm-state',
      'guest-fault',
    ],
  );
  t.is(KIND['hcall'], 0);
  t.is(KIND['guest-write'], 23);
  for (const kind of EVENT_KINDS) t.true(kind.fields.length <= new MachineEvent().fields.length);
});
