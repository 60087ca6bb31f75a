// Every page state × every operation, from a table written anew from ultravisor.md section 5: states by the names of
// svm_host.h, statuses by theirs. `d` and `r` stand before what only one behaviour does.
import test from 'ava';
import { FRAMES, Stand } from './_stand.ts';

const STATUS: Readonly<Record<string, number>> = {
  ok: 0,
  PARAMETER: -4,
  RETRY: -5,
  PERMISSION: -11,
  P2: -55,
  P3: -56,
  STATE: -75,
};

const STATES = [
  'secure',
  'paged-out',
  'shared',
  'shared-inv',
  'implicit',
  'implicit-inv',
  'hv-sharing',
  'hv-shared',
  'hv-shared-inv',
  'hv-unsharing',
  'hv-unsharing-inv',
  'hv-unshared',
  'pseudo',
  'pseudo-inv',
] as const;
type State = (typeof STATES)[number];

const OPERATIONS = ['in', 'out', 'inval', 'share', 'unshare', 'touch'] as const;

/**
 * In the secure phase. A cell is `status>state`, `>` alone for the same state. Touching ends in `runs`, `stuck` or
 * `killed`. Share and unshare are the guest's, with a hypervisor that does as KVM.
 */
const SECURE_TABLE = `
secure           | P2>             | ok>paged-out         | P2>                  | ok>shared | ok>                    | runs>
paged-out        | ok>secure       | PARAMETER>           | P2>                  | ok>shared | d ok> r ok>secure      | runs>secure
shared           | ok>             | d ok> r PARAMETER>   | ok>shared-inv        | ok>       | ok>secure              | runs>
shared-inv       | ok>shared       | d ok> r PARAMETER>   | ok>                  | ok>       | ok>secure              | runs>shared
implicit         | ok>             | d ok> r PARAMETER>   | ok>implicit-inv      | ok>       | P2>                    | killed>
implicit-inv     | ok>implicit     | d ok> r PARAMETER>   | ok>                  | ok>       | P2>                    | killed>
hv-sharing       | ok>hv-shared    | PARAMETER>           | P2>                  | P2>       | P2>                    | runs>
hv-shared        | ok>             | PARAMETER>           | ok>hv-shared-inv     | P2>       | P2>                    | runs>
hv-shared-inv    | ok>hv-shared    | PARAMETER>           | ok>                  | P2>       | P2>                    | runs>
hv-unsharing     | ok>             | PARAMETER>           | ok>hv-unsharing-inv  | P2>       | P2>                    | runs>
hv-unsharing-inv | ok>hv-unsharing | PARAMETER>           | ok>                  | P2>       | P2>                    | runs>
hv-unshared      | P2>             | RETRY>               | P2>                  | P2>       | P2>                    | runs>
pseudo           | ok>             | d ok> r PARAMETER>   | ok>pseudo-inv        | ok>       | P2>                    | runs>
pseudo-inv       | ok>pseudo       | d ok> r PARAMETER>   | ok>                  | ok>       | P2>                    | runs>`;

/** While UV_ESM is under way the hypervisor's plain pages are taken; in other states nothing differs. */
const STARTING_ROWS: Readonly<Partial<Record<State, string>>> = {
  secure: 'ok>| ok>paged-out | P2>',
  'hv-unshared': 'ok>secure | RETRY> | P2>',
};

/** After UV_ESM failed: pages may come out, and nothing else. */
function abortCell(state: State, operation: string): string {
  if (operation !== 'out') return 'STATE>';
  if (state === 'secure') return 'ok>';
  if (state === 'hv-unshared') return 'RETRY>';
  const shared = ['shared', 'shared-inv', 'implicit', 'implicit-inv', 'pseudo', 'pseudo-inv'].includes(state);
  return shared ? 'd ok> r PARAMETER>' : 'PARAMETER>';
}

const FRAME_UNDER_TEST = 5;

/**
 * Brings the frame into the state by calls alone and runs `then` there: for states in transition that is inside the
 * hypercall in which they exist.
 */
function inState(stand: Stand, state: State, then: () => void): void {
  const { uv } = stand;
  const gfn = FRAME_UNDER_TEST;
  const share = (kind: 'explicit' | 'implicit' | 'pseudo'): void => {
    uv.pages.share(BigInt(gfn), 1n, kind);
  };
  /** Runs `then` in the first H_SVM_PAGE_IN of these flags, for the frame given. */
  const during = (flags: bigint, of: number, before: () => void): void => {
    let done = false;
    stand.answer = (token, inputs) => {
      if (token !== 0xef00) return 0;
      const frame = Number(inputs[0] ?? 0n) / 0x1_0000;
      if (!done && inputs[1] === flags && frame === of) {
        done = true;
        before();
        stand.cooperate();
        then();
        return -4;
      }
      return inputs[1] === 1n ? stand.pageIn(frame) : 0;
    };
  };
  stand.cooperate();
  switch (state) {
    case 'secure':
      break;
    case 'paged-out':
      stand.pageOut(gfn);
      break;
    case 'shared':
    case 'shared-inv':
      share('explicit');
      break;
    case 'implicit':
    case 'implicit-inv':
      share('implicit');
      break;
    case 'pseudo':
    case 'pseudo-inv':
      share('pseudo');
      break;
    case 'hv-sharing':
      during(1n, gfn, () => undefined);
      share('explicit');
      return;
    case 'hv-shared':
      during(1n, gfn, () => stand.pageIn(gfn));
      share('explicit');
      return;
    case 'hv-shared-inv':
      during(1n, gfn, () => {
        stand.pageIn(gfn);
        stand.invalidate(gfn);
      });
      share('explicit');
      return;
    case 'hv-unsharing':
    case 'hv-unsharing-inv':
      share('explicit');
      during(0n, gfn, () => {
        if (state === 'hv-unsharing-inv') stand.invalidate(gfn);
      });
      uv.pages.unshare(BigInt(gfn), 1n);
      return;
    case 'hv-unshared':
      uv.pages.share(BigInt(gfn), 2n, 'explicit');
      during(0n, gfn + 1, () => undefined);
      uv.pages.unshare(BigInt(gfn), 2n);
      return;
  }
  if (state.endsWith('-inv')) stand.invalidate(gfn);
  then();
}

function operate(stand: Stand, operation: string): string {
  const gfn = FRAME_UNDER_TEST;
  const name = (status: number): string =>
    Object.keys(STATUS).find((key) => STATUS[key] === status) ?? String(status);
  switch (operation) {
    case 'in':
      return name(stand.pageIn(gfn));
    case 'out':
      return name(stand.pageOut(gfn, gfn + 8));
    case 'inval':
      return name(stand.invalidate(gfn));
    case 'share':
      return name(stand.uv.pages.share(BigInt(gfn), 1n, 'explicit'));
    case 'unshare':
      return name(stand.uv.pages.unshare(BigInt(gfn), 1n));
    default:
      stand.uv.reach(gfn * 0x1_0000);
      return stand.uv.halt === undefined ? 'runs' : stand.uv.halt === 'terminated' ? 'killed' : 'stuck';
  }
}

/** `d ok> r PARAMETER>` for one of the behaviours. */
function cellFor(cell: string, side: 'released' | 'documented'): string {
  const parts = /^d (\S+) r (\S+)$/.exec(cell.trim());
  if (parts === null) return cell.trim();
  return (side === 'documented' ? parts[1] : parts[2]) ?? '';
}

interface Row {
  readonly state: State;
  readonly cells: readonly string[];
}

const ROWS: readonly Row[] = SECURE_TABLE.trim()
  .split('\n')
  .map((line) => {
    const [state = '', ...cells] = line.split('|').map((cell) => cell.trim());
    return { state: state as State, cells };
  });

const SIDES = ['documented', 'released'] as const;

test('the table has every state and every operation', (t) => {
  t.deepEqual(
    ROWS.map(({ state }) => state),
    [...STATES],
  );
  for (const { cells } of ROWS) t.is(cells.length, OPERATIONS.length);
});

function check(
  t: { readonly deepEqual: (actual: unknown, expected: unknown, message: string) => unknown },
  phase: 1 | 2 | 3,
  side: (typeof SIDES)[number],
  state: State,
  operation: string,
  cell: string,
): void {
  const stand = new Stand(side);
  stand.bring(phase === 3 ? 1 : phase);
  let ran = false;
  inState(stand, state, () => {
    ran = true;
    if (phase === 3) stand.uv.svm.state = 3;
    const where = `${side}, phase ${phase}, ${state}, ${operation}`;
    t.deepEqual(STATES[stand.state(FRAME_UNDER_TEST)], state, `${where}: the state to begin with`);
    const [status = '', to = ''] = cellFor(cell, side).split('>');
    const found = operate(stand, operation);
    const after = STATES[stand.state(FRAME_UNDER_TEST)];
    t.deepEqual(`${found}>${after}`, `${status}>${to === '' ? state : to}`, where);
  });
  t.deepEqual(ran, true, `${state} was reached`);
}

for (const side of SIDES) {
  test(`${side}: every page state × every operation of a secure guest`, (t) => {
    for (const { state, cells } of ROWS)
      for (const [index, operation] of OPERATIONS.entries())
        check(t, 2, side, state, operation, cells[index] ?? '');
  });

  test(`${side}: every page state × every operation while UV_ESM is under way`, (t) => {
    for (const { state, cells } of ROWS) {
      const row = STARTING_ROWS[state]?.split('|') ?? cells;
      for (const [index, operation] of OPERATIONS.slice(0, 3).entries())
        check(t, 1, side, state, operation, row[index] ?? '');
    }
  });

  test(`${side}: every page state × every operation after UV_ESM failed`, (t) => {
    for (const state of STATES)
      for (const operation of OPERATIONS.slice(0, 3))
        check(t, 3, side, state, operation, abortCell(state, operation));
  });
}

test('checks come in the firmware’s order, each with its status', (t) => {
  const stand = new Stand('released');
  stand.bring(2);
  const FRAME = 0x5_0000n;
  const at = stand.page(5);
  const OUTSIDE = BigInt(FRAMES) * 0x1_0000n;
  const secret = 1n << 48n;
  // UV_PAGE_IN lpid, source, gpa, flags, order: each row is right but for what it names, and all that follows is wrong.
  const rows: readonly [number, readonly bigint[], number][] = [
    [0xf128, [9n, 0n, OUTSIDE, 0n, 12n], -58],
    [0xf128, [9n, 0n, OUTSIDE, 0n, 16n], -55],
    [0xf128, [9n, at | secret, OUTSIDE, 0n, 16n], -55],
    [0xf128, [9n, at, OUTSIDE, 0n, 16n], -4],
    [0xf128, [1n, at, OUTSIDE, 0n, 16n], -56],
    [0xf128, [1n, at, FRAME, 0n, 16n], -55],
    [0xf12c, [9n, 0n, OUTSIDE, 0n, 12n], -58],
    [0xf12c, [9n, 0n, OUTSIDE, 0n, 16n], -55],
    [0xf12c, [9n, at, OUTSIDE, 0n, 16n], -4],
    [0xf12c, [1n, at, OUTSIDE, 0n, 16n], -56],
    [0xf12c, [1n, at, FRAME, 0n, 16n], 0],
    [0xf138, [9n, OUTSIDE, 12n], -56],
    [0xf138, [9n, OUTSIDE, 16n], -4],
    [0xf138, [1n, OUTSIDE, 16n], -56],
    [0xf138, [1n, FRAME, 16n], -55],
  ];
  for (const [number, inputs, status] of rows)
    t.is(stand.hv(number, ...inputs), status, `${number.toString(16)} ${inputs.join(' ')}`);
  const documented = new Stand('documented');
  documented.bring(2);
  t.is(documented.hv(0xf138, 1n, OUTSIDE, 16n), -55, 'the document names the address P2');
});

test('a page that went out comes back only as the very bytes of the last time', (t) => {
  const stand = new Stand('documented');
  stand.bring(2);
  stand.uv.svm.store.fill(5 * 0x1_0000, 0x53, 0x1_0000);
  t.is(stand.pageOut(5, 20), 0);
  const first = new Uint8Array(0x1_0000);
  stand.ram.rawRead(20 * 0x1_0000, first, 0, first.length);
  t.false(first.includes(0x53, 60_000) && first.every((byte) => byte === 0x53));
  t.is(stand.pageIn(5, 20), 0);
  t.is(stand.uv.svm.store.u8(5 * 0x1_0000 + 77), 0x53);
  t.is(stand.pageOut(5, 21), 0);
  const second = new Uint8Array(0x1_0000);
  stand.ram.rawRead(21 * 0x1_0000, second, 0, second.length);
  t.notDeepEqual(first, second, 'the same page never looks the same twice');
  t.is(stand.pageIn(5, 20), -56, 'the version before');
  stand.ram.rawWrite(21 * 0x1_0000 + 40_000, new Uint8Array([0xff]), 0, 1);
  t.is(stand.pageIn(5, 21), -56, 'one byte of it');
  t.is(stand.state(5), 1);
  stand.ram.rawWrite(21 * 0x1_0000, second, 0, second.length);
  t.is(stand.pageIn(5, 21), 0);
  t.is(stand.uv.svm.store.u8(5 * 0x1_0000 + 77), 0x53);
});

test('what is shared, unshared or never was: content never crosses', (t) => {
  const stand = new Stand('documented');
  stand.bring(2);
  stand.cooperate();
  const at = 5 * 0x1_0000;
  stand.uv.svm.store.fill(at, 0x53, 0x1_0000);
  stand.ram.rawFill(at, 0x48, 0x1_0000);
  t.is(stand.guest(0xf130, 5n, 1n), 0);
  const seen = new Uint8Array(0x1_0000);
  stand.ram.rawRead(at, seen, 0, seen.length);
  t.true(seen.every((byte) => byte === 0));
  stand.ram.rawFill(at, 0x48, 0x1_0000);
  t.is(stand.guest(0xf134, 5n, 1n), 0);
  const view = new Uint8Array(0x1_0000);
  t.true(stand.uv.guestRead(at, view, 0, view.length));
  t.true(view.every((byte) => byte === 0));
});

test('the hypervisor refuses in the middle: nothing is shared, or the guest ends', (t) => {
  for (const refused of [0, 1, 2]) {
    const stand = new Stand('documented');
    stand.bring(2);
    stand.answer = (token, inputs) => {
      const gfn = Number(inputs[0] ?? 0n) / 0x1_0000;
      if (token !== 0xef00 || inputs[1] !== 1n) return 0;
      return gfn === 5 + refused ? -4 : stand.pageIn(gfn);
    };
    t.is(stand.guest(0xf130, 5n, 3n), -55);
    t.deepEqual([stand.state(5), stand.state(6), stand.state(7)], [0, 0, 0]);
    t.is(stand.uv.reach(5 * 0x1_0000), -1, 'on its own page');
    t.is(stand.uv.halt, undefined);
  }
  const stubborn = new Stand('documented');
  stubborn.bring(2);
  stubborn.answer = (token, inputs) => {
    if (token !== 0xef00) return 0;
    const gfn = Number(inputs[0] ?? 0n) / 0x1_0000;
    return inputs[1] === 1n && gfn === 5 ? stubborn.pageIn(gfn) : -4;
  };
  stubborn.guest(0xf130, 5n, 2n);
  t.is(stubborn.uv.halt, 'terminated', 'it does not give the first page back');
});

test('a hypervisor that claims to have brought a page ends the guest', (t) => {
  const stand = new Stand('documented');
  stand.bring(2);
  stand.answer = () => 0;
  stand.guest(0xf130, 5n, 1n);
  t.is(stand.uv.halt, 'terminated');
});

test('released: a share that was taken back leaves the hypervisor’s page under the guest', (t) => {
  const outcome = (side: 'released' | 'documented'): number | undefined => {
    const stand = new Stand(side);
    stand.bring(2);
    stand.answer = (token, inputs) => {
      const gfn = Number(inputs[0] ?? 0n) / 0x1_0000;
      if (token !== 0xef00 || inputs[1] !== 1n) return 0;
      return gfn === 6 ? -4 : stand.pageIn(gfn, 20);
    };
    stand.guest(0xf130, 5n, 2n);
    t.is(stand.state(5), 0, 'secure, as far as anybody is told');
    return stand.uv.reach(5 * 0x1_0000);
  };
  t.is(outcome('released'), 20 * 0x1_0000);
  t.is(outcome('documented'), -1);
});

test('released: a refusal makes the first page of the range secure although it was shared', (t) => {
  const outcome = (side: 'released' | 'documented'): number => {
    const stand = new Stand(side);
    stand.bring(2);
    stand.cooperate();
    stand.guest(0xf130, 5n, 1n);
    stand.answer = (token) => (token === 0xef00 ? -4 : 0);
    stand.guest(0xf130, 5n, 2n);
    return stand.state(5);
  };
  t.is(outcome('released'), 0);
  t.is(outcome('documented'), 2);
});

test('released: a page invalidated before the share is complete is mapped all the same', (t) => {
  const outcome = (side: 'released' | 'documented'): readonly [number, number | undefined] => {
    const stand = new Stand(side);
    stand.bring(2);
    stand.answer = (token, inputs) => {
      if (token !== 0xef00) return 0;
      const gfn = Number(inputs[0] ?? 0n) / 0x1_0000;
      stand.pageIn(gfn, 20);
      return stand.invalidate(gfn);
    };
    stand.guest(0xf130, 5n, 1n);
    return [stand.state(5), stand.uv.svm.maps[5]];
  };
  t.deepEqual(outcome('released'), [2, 2]);
  t.deepEqual(outcome('documented'), [3, 1]);
});

test('released: pages before one in transition stay with the hypervisor', (t) => {
  const outcome = (side: 'released' | 'documented'): number => {
    const stand = new Stand(side);
    stand.bring(2);
    stand.cooperate();
    stand.guest(0xf130, 6n, 1n);
    // The hypervisor refuses to take it back when all are unshared: it stays in between.
    stand.answer = () => -4;
    t.is(stand.guest(0xf140), side === 'released' ? 0xf140 : -55);
    t.is(stand.state(6), 9);
    stand.cooperate();
    stand.guest(0xf130, 5n, 2n);
    return stand.state(5);
  };
  t.is(outcome('released'), 7);
  t.is(outcome('documented'), 0);
});

test('released: a page that is unshared while it is out faults for ever', (t) => {
  const outcome = (side: 'released' | 'documented'): string | undefined => {
    const stand = new Stand(side);
    stand.bring(2);
    stand.pageOut(5);
    stand.cooperate();
    stand.guest(0xf134, 5n, 1n);
    stand.uv.reach(5 * 0x1_0000);
    return stand.uv.halt;
  };
  t.is(outcome('released'), 'fault loop');
  t.is(outcome('documented'), undefined);
});

test('sharing again: kept, or zeroed as the document says', (t) => {
  const outcome = (side: 'released' | 'documented'): number => {
    const stand = new Stand(side);
    stand.bring(2);
    stand.cooperate();
    stand.guest(0xf130, 5n, 1n);
    stand.ram.rawFill(5 * 0x1_0000, 7, 0x1_0000);
    stand.guest(0xf130, 5n, 1n);
    const byte = new Uint8Array(1);
    stand.ram.rawRead(5 * 0x1_0000, byte, 0, 1);
    return byte[0] ?? -1;
  };
  t.is(outcome('released'), 7);
  t.is(outcome('documented'), 0);
});

test('released: before the guest is secure, whatever comes back for a page that went out is taken', (t) => {
  const outcome = (side: 'released' | 'documented'): number => {
    const stand = new Stand(side);
    stand.bring(1);
    stand.pageOut(5, 20);
    stand.ram.rawFill(20 * 0x1_0000, 9, 0x1_0000);
    return stand.pageIn(5, 20);
  };
  t.is(outcome('released'), 0);
  t.is(outcome('documented'), -56);
});

test('after a failed UV_ESM a page comes out as it was, or not at all', (t) => {
  const outcome = (side: 'released' | 'documented'): number => {
    const stand = new Stand(side);
    stand.bring(3);
    stand.uv.svm.store.fill(5 * 0x1_0000, 0x53, 0x1_0000);
    t.is(stand.pageOut(5, 20), 0);
    const byte = new Uint8Array(1);
    stand.ram.rawRead(20 * 0x1_0000, byte, 0, 1);
    return byte[0] ?? -1;
  };
  t.is(outcome('released'), 0);
  t.is(outcome('documented'), 0x53);
});
