// Calls, reflection and the guest's life in the ultravisor, with a hypervisor that does what the test says. Numbers are
// those of ultravisor.md sections 2 to 4.
import test from 'ava';
import { DISAGREEMENTS } from './behaviour.ts';
import { FRAMES, Stand } from './_stand.ts';

const S = 1n << 22n;
const HV = 1n << 60n;
const PR = 1n << 14n;
const SF = 1n << 63n;

test('who may make which ultracall, in the dispatcher’s order', (t) => {
  const HYPERVISOR = [
    0xf104, 0xf108, 0xf10c, 0xf114, 0xf118, 0xf120, 0xf124, 0xf128, 0xf12c, 0xf138, 0xf13c, 0xf144, 0xf148,
    0xf150,
  ];
  const GUEST = [0xf130, 0xf134, 0xf140];
  const stand = new Stand('documented');
  stand.bring(2);
  const ask = (number: number, msr: bigint, resumeMsr = 0n): number | undefined =>
    stand.uv.ucallAs({ msr, resumeMsr }, number);
  for (const number of HYPERVISOR) {
    t.is(ask(number, SF), -11, `${number.toString(16)} of a guest`);
    t.is(ask(number, SF | S), -11, `${number.toString(16)} of a secure guest`);
    t.is(ask(number, SF | HV | PR), -11, `${number.toString(16)} of a host process`);
    t.not(ask(number, SF | HV), -11 - 1);
    t.is(
      ask(number, SF | HV, 1n << 33n),
      -59,
      `${number.toString(16)} with a transaction in the MSR to return to`,
    );
    t.is(ask(number, SF | HV | (1n << 34n)), -59);
  }
  for (const number of GUEST) {
    t.is(ask(number, SF), -11, 'not secure');
    t.is(ask(number, SF | HV), -11, 'the hypervisor');
    t.is(ask(number, SF | S | PR), -11, 'a process of the secure guest');
    t.not(ask(number, SF | S), -11);
  }
  t.is(ask(0xf110, SF | PR), -11);
  t.is(ask(0xf110, SF | HV), -11);
  for (const number of [0, 0xf100, 0xf154, 0xffff]) t.is(ask(number, SF | HV), -2);
});

test('memory slots: what is refused, what replaces, what they cost', (t) => {
  const stand = new Stand('documented');
  stand.bring(1);
  const F = 0x1_0000n;
  const slot = (start: bigint, size: bigint, id: bigint, lpid = 1n): number =>
    stand.hv(0xf120, lpid, start, size, 0n, id);
  t.is(stand.hv(0xf124, 1n, 0n), 0);
  t.is(stand.uv.svm.reserved, 0);
  t.is(slot(0n, 8n * F, 0n, 7n), -4, 'another guest');
  t.is(slot(1n, F, 0n), -4, 'not aligned');
  t.is(slot(F, (1n << 64n) - F, 0n), -4, 'wraps');
  t.is(slot(0n, F, 512n), -4, 'no such slot id');
  t.is(slot(0n, F, 0x1_0000n + 3n), 0, 'ids have 16 bits');
  t.is(slot(0n, BigInt(FRAMES) * F, 0n), -4, 'overlaps slot 3');
  t.is(slot(0n, 4n * F, 3n), 0, 'replaces itself');
  t.is(slot(4n * F, 4n * F, 4n), 0);
  t.is(stand.uv.svm.reserved, 8 * 0x1_0000);
  t.is(slot(8n * F, BigInt(FRAMES) * F, 5n), -4, 'beyond what there is');
  stand.uv.svm.store.fill(4 * 0x1_0000, 0x53, 0x1_0000);
  t.is(stand.hv(0xf124, 1n, 4n), 0);
  t.is(stand.uv.svm.reserved, 4 * 0x1_0000);
  t.is(slot(4n * F, 4n * F, 4n), 0);
  t.is(stand.uv.svm.store.u8(4 * 0x1_0000), 0, 'a slot that comes again is zero');
  t.is(stand.hv(0xf124, 1n, 99n), 0, 'never fails');
});

/** Every state of the whole guest × every call of its life: status, and the state after. */
const LIFE = `
none     | esm runs>secure  | term 0>none | slot -4>none     | in -4>none     | share -11>none
starting | esm -5>starting  | term 0>none | slot 0>starting  | in 0>starting  | share -11>starting
secure   | esm again>secure | term 0>none | slot 0>secure    | in -55>secure  | share 0>secure
abort    | esm -5>abort     | term 0>none | slot 0>abort     | in -75>abort   | share -11>abort
ended    | esm -5>ended     | term 0>none | slot 0>ended     | in -55>ended   | share 0>ended`;
const LIVES = ['none', 'starting', 'secure', 'abort', 'ended'];

for (const side of ['released', 'documented'] as const) {
  test(`${side}: every state of the guest × every call of its life`, (t) => {
    for (const line of LIFE.trim().split('\n')) {
      const [state = '', ...cells] = line.split('|').map((cell) => cell.trim());
      for (const cell of cells) {
        const [call = '', expected = ''] = cell.split(' ');
        const [status = '', after = ''] = expected.split('>');
        const stand = new Stand(side);
        stand.cooperate();
        if (state !== 'none') stand.bring(1);
        stand.uv.svm.state = LIVES.indexOf(state);
        const run: Record<string, () => number> = {
          esm: () => stand.guest(0xf110, 0x1000n, 0x2000n),
          term: () => stand.hv(0xf13c, 1n),
          slot: () => stand.hv(0xf120, 1n, 0n, BigInt(FRAMES) * 0x1_0000n, 0n, 0n),
          in: () => stand.pageIn(5),
          share: () => stand.guest(0xf130, 5n, 1n),
        };
        const found = run[call]?.();
        const where = `${side} ${state} ${call}`;
        if (status === 'runs') {
          // There is no device tree: it begins, fails, and is aborted, which this hypervisor does not act upon.
          t.is(LIVES[stand.uv.svm.state], 'abort', where);
          continue;
        }
        const told =
          call === 'share' && side === 'released' && status === '0'
            ? 0xf130
            : status === 'again'
              ? side === 'documented'
                ? 0
                : -5
              : Number(status);
        t.is(found, told, where);
        t.is(LIVES[stand.uv.svm.state], after, where);
      }
    }
  });
}

test('what the hypervisor sees of a hypercall: declared registers, and nothing else', (t) => {
  const SECRET = 0x5ec2e7_5ec2e7n;
  for (const side of ['released', 'documented'] as const) {
    const stand = new Stand(side);
    stand.bring(2);
    const vcpu = stand.uv.vcpus[0];
    if (vcpu === undefined) throw new Error('there is a first CPU');
    vcpu.general.fill(SECRET);
    vcpu.special.fill(SECRET);
    const registers = new BigUint64Array(10).fill(SECRET);
    registers[0] = 0x20n;
    registers[1] = 0x8000_0000n;
    registers[2] = 0x1000n;
    registers[3] = 0x3n;
    stand.answer = (_token, _inputs, frame) => {
      for (let i = 4; i <= 12; i++) frame.general[i] = 0x77n;
      return 5;
    };
    stand.uv.guestHcall(registers);
    const [frame = []] = stand.frames;
    t.deepEqual(frame.slice(3, 7), [0x20n, 0x8000_0000n, 0x1000n, 3n]);
    const others = [...frame.slice(0, 3), ...frame.slice(7, 31)];
    t.false(others.includes(SECRET));
    t.is(
      others.filter((word) => word !== 0n).length,
      side === 'documented' ? others.length : 1,
      'random registers',
    );
    // LPIDR is 1; PIDR, LPCR, HSPRG0, HSPRG1 are kept; everything else of the guest is hidden.
    t.is(frame.slice(32).filter((word) => word === SECRET).length, 4);
    const [nia, msr, srr0, srr1, hsrr0, hsrr1, dec, ppr] = frame.slice(32);
    t.is(nia, 0xc00n);
    t.is((msr ?? 0n) & (HV | S), HV);
    t.is(srr0, frame[31]);
    t.is(hsrr0, frame[31]);
    t.is(srr1, stand.msr | S | (1n << 20n));
    t.is(hsrr1, srr1);
    t.is(dec, 0x7fff_ffffn);
    t.is(ppr, 0x0010_0000_0000_0000n);
    t.is((frame[31] ?? 0n) & 3n, 0n);
    t.true((frame[31] ?? 0n) >= 0x2000n && (frame[31] ?? 0n) < 1n << 52n);
    t.deepEqual([...registers].slice(0, 2), [5n, 0x8000_0000n], 'H_PUT_TCE gives back one register');
  }
});

test('a hypercall gives back as many registers as it declares', (t) => {
  const stand = new Stand('documented');
  stand.bring(2);
  stand.answer = (_token, _inputs, frame) => {
    for (let i = 4; i <= 12; i++) frame.general[i] = BigInt(i);
    return 0;
  };
  const outputs: readonly [number, number][] = [
    [0x1c, 2],
    [0x54, 4],
    [0x74, 2],
    [0x2ec, 7],
    [0x68, 1],
  ];
  for (const [token, count] of outputs) {
    const registers = new BigUint64Array(10).fill(99n);
    registers[0] = BigInt(token);
    stand.uv.guestHcall(registers);
    const expected = [0n, 4n, 5n, 6n, 7n, 8n, 9n, 10n, 11n, 12n].map((word, i) => (i < count ? word : 99n));
    t.deepEqual([...registers], expected, token.toString(16));
  }
});

test('hypercalls newer than the firmware end the guest', (t) => {
  for (const token of [0x448, 0x45c, 0x3b0, 0x460]) {
    const stand = new Stand('documented');
    stand.bring(2);
    const registers = new BigUint64Array(10);
    registers[0] = BigInt(token);
    stand.uv.guestHcall(registers);
    t.is(stand.uv.halt, 'terminated', token.toString(16));
  }
});

test('what UV_RETURN does not survive, and what only the guest does not', (t) => {
  const after = (
    change: (frame: { general: BigUint64Array; special: BigUint64Array }) => void,
  ): string | undefined => {
    const stand = new Stand('documented');
    stand.bring(2);
    stand.answer = (_token, _inputs, frame) => {
      change(frame);
      return 0;
    };
    const registers = new BigUint64Array(10);
    registers[0] = 0x68n;
    stand.uv.guestHcall(registers);
    return stand.uv.halt ?? String(stand.uv.entryOf(0)?.address ?? 'resumed');
  };
  t.is(
    after(() => undefined),
    'resumed',
  );
  t.is(
    after((frame) => (frame.general[31] = 5n)),
    'firmware abort',
  );
  // LPIDR and PIDR follow the thirteen registers that are made.
  t.is(
    after((frame) => (frame.special[13] = 2n)),
    'terminated',
  );
  t.is(
    after((frame) => (frame.special[14] = 2n)),
    'terminated',
  );
  t.is(
    after((frame) => (frame.special[4] = 0x500n)),
    String(0x500),
    'an interrupt of the hypervisor’s making',
  );
  t.is(
    after((frame) => (frame.special[4] = 0x510n)),
    'resumed',
    'no vector',
  );
  t.is(
    after((frame) => (frame.special[4] = 0x4000n)),
    'resumed',
    'beyond the vectors',
  );
});

test('H_RANDOM: the ultravisor answers, one way or the other', (t) => {
  const ask = (side: 'released' | 'documented'): readonly bigint[] => {
    const stand = new Stand(side);
    stand.bring(2);
    const registers = new BigUint64Array(10);
    registers[0] = 0x300n;
    stand.uv.guestHcall(registers);
    t.is(stand.frames.length, 0, 'the hypervisor hears nothing');
    return [...registers.subarray(0, 2)];
  };
  t.deepEqual(ask('released'), [BigInt.asUintN(64, -2n), 0n]);
  const [status, random] = ask('documented');
  t.is(status, 0n);
  t.not(random, 0n);
});

test('the partition table entry of a guest that the ultravisor has', (t) => {
  const stand = new Stand('released');
  t.is(stand.hv(0xf104, 1n, 5n, 6n), 0);
  t.deepEqual([...stand.uv.partitionEntry], [5n, 6n]);
  stand.bring(2);
  t.is(stand.hv(0xf104, 1n, 7n, 8n), 0);
  t.deepEqual([...stand.uv.partitionEntry], [5n, 8n], 'dw0 is kept');
  const documented = new Stand('documented');
  documented.bring(2);
  t.is(documented.hv(0xf104, 1n, 7n, 8n), -11);
  t.deepEqual([...documented.uv.partitionEntry], [0n, 0n]);
});

test('restricted registers', (t) => {
  const stand = new Stand('released');
  t.is(stand.hv(0xf108, 0xb4n, 77n), 0);
  t.is(stand.hv(0xf10c, 0xb4n), 0);
  t.deepEqual([...stand.uv.results], [0n, 77n], 'in r5');
  t.is(stand.hv(0xf108, 0x352n, 1n), 0);
  t.is(stand.hv(0xf10c, 0x352n), -4, 'LDBAR is written only');
  t.is(stand.hv(0xf108, 0x1n, 1n), -4);
});

test('every disagreement has its number, its two sides and its source', (t) => {
  t.deepEqual(
    DISAGREEMENTS.map(({ number }) => number),
    Array.from({ length: DISAGREEMENTS.length }, (_, i) => i + 1),
  );
  for (const row of DISAGREEMENTS) {
    t.not(row.released, row.documented);
    t.true(row.source.length > 10);
  }
});
