import test from 'ava';
import { EVENT_KINDS, KIND, MachineEvent, type EventName } from '../emu/core/tap.ts';
import { LastWriters } from './last-writers.ts';

const H_SUCCESS = 0n;
const H_PUT_TCE = 0x20n;
const H_PUT_TCE_INDIRECT = 0x13cn;
const H_STUFF_TCE = 0x138n;
const KVMPPC_H_RTAS = 0xf000n;
const CREATE = 0x2027n;
const REMOVE = 0x2028n;
const LIOBN = 0x8000_0001n;
const BASE = 0x0800_0000_0000_0000n;
const DEVICE = 8n;
const NONE = [0n, 0n, 0n, 0n, 0n, 0n, 0n];

/** Shows events one after the other. */
function walk(
  writers: LastWriters,
): (name: EventName, fields: readonly bigint[], bytes?: Uint8Array) => void {
  const event = new MachineEvent();
  let number = 0;
  return (name, fields, bytes = new Uint8Array(0)) => {
    event.kind = KIND[name];
    event.fields.fill(0n);
    event.fields.set(fields);
    event.carry(bytes, 0, bytes.length);
    writers.see(event, number++);
  };
}

function created(shift: bigint): { writers: LastWriters; see: ReturnType<typeof walk> } {
  const writers = new LastWriters(EVENT_KINDS);
  const see = walk(writers);
  see('hcall', [KVMPPC_H_RTAS, 0xf000_0000_0000_5000n, ...NONE]);
  see('rtas', [CREATE, 5n, 4n, 0n, 0x0800_0000n, 0x2000_0000n, shift, 30n, 0n, 0n, 0n]);
  see('rtas-return', [4n, 0n, LIOBN, BASE >> 32n, 0n, 0n, 0n, 0n, 0n]);
  see('hcall-return', [H_SUCCESS, 0x5000n, ...NONE]);
  return { writers, see };
}

test('a list and a run of equal entries go by the page size that the window was created with', (t) => {
  for (const shift of [12n, 16n, 24n]) {
    const { writers, see } = created(shift);
    const page = 1n << shift;
    const list = new Uint8Array(16);
    new DataView(list.buffer).setBigUint64(0, (3n << shift) | 3n);
    new DataView(list.buffer).setBigUint64(8, (9n << shift) | 3n);
    see('hcall', [H_PUT_TCE_INDIRECT, LIOBN, BASE + 4n * page, 0x7000n, 2n]);
    see('hypervisor-read', [0x7000n], list);
    see('hcall-return', [H_SUCCESS]);
    t.is(writers.translate(BASE + 5n * page + 0x123n), (9n << shift) + 0x123n);
    t.is(writers.translate(BASE + 4n * page + page - 1n), (3n << shift) + page - 1n);
    see('hcall', [H_STUFF_TCE, LIOBN, BASE + 8n * page, (7n << shift) | 3n, 3n]);
    see('hcall-return', [H_SUCCESS]);
    t.is(writers.translate(BASE + 10n * page), 7n << shift);
    t.is(writers.translate(BASE + 11n * page), undefined);
    see('hcall', [H_STUFF_TCE, LIOBN, BASE, 0n, 1n << 14n]);
    see('hcall-return', [H_SUCCESS]);
    t.is(writers.translate(BASE + 10n * page), undefined);
  }
});

test('a window that is removed leads nowhere', (t) => {
  const { writers, see } = created(16n);
  see('hcall', [H_PUT_TCE, LIOBN, BASE, 0x3_0003n]);
  see('hcall-return', [H_SUCCESS]);
  t.is(writers.translate(BASE), 0x3_0000n);
  see('hcall', [KVMPPC_H_RTAS, 0x5000n]);
  see('rtas', [REMOVE, 1n, 1n, LIOBN]);
  see('rtas-return', [1n, 0n]);
  t.is(writers.translate(BASE), undefined);
});

test('results of RTAS are writes behind the arguments, the top nibble of the address aside', (t) => {
  const { writers } = created(16n);
  const results = 0x5000n + 12n + 4n * 5n;
  t.deepEqual(writers.of(results), { event: 2, what: 'rtas-return' });
  t.deepEqual(writers.of(results + 15n), { event: 2, what: 'rtas-return' });
  t.is(writers.of(results + 16n), undefined);
  t.is(writers.of(results, DEVICE)?.event, 2);
});
