// KVM's side, with an ultravisor that answers what the test says: sections 3 and 6 of ultravisor.md, written anew.
import test from 'ava';
import { HostRam } from '../memory/host-ram.ts';
import { KvmHypervisor } from './hypervisor.ts';
import type { SecureEvents } from './ports.ts';

const FRAME = 0x1_0000;
const FRAMES = 16;
const S = 1n << 22n;
const START = 0xef08;
const DONE = 0xef0c;
const ABORT = 0xef14;
const PAGE_IN = 0xef00;
const PAGE_OUT = 0xef04;
const NAMES = ['normal', 'secure', 'out', 'shared'];

const SILENT: SecureEvents = {
  guestFault: () => undefined,
  hypervisorUcall: () => undefined,
  hypervisorUcallReturn: () => undefined,
  ownHcall: () => undefined,
  ownHcallReturn: () => undefined,
  reflect: () => undefined,
  reflectReturn: () => undefined,
  pageState: () => undefined,
  vmState: () => undefined,
};

class Stand {
  readonly ram: HostRam = new HostRam(FRAMES * FRAME);
  readonly ucalls: string[] = [];
  readonly passed: number[] = [];
  radix = true;
  fatal = '';
  /** What the ultravisor answers to an ultracall; 0 unless said. */
  readonly answers: Map<number, number> = new Map();
  readonly kvm: KvmHypervisor;

  constructor(admits = true, devicePages = FRAMES) {
    this.kvm = new KvmHypervisor({
      ram: this.ram,
      ultravisor: {
        hypervisorUcall: (number, ...inputs) => {
          this.ucalls.push(`${number.toString(16)} ${inputs.map((word) => word.toString(16)).join(' ')}`);
          return this.answers.get(number) ?? 0;
        },
      },
      events: SILENT,
      admits,
      devicePages,
      slots: [{ id: 0, from: 0, bytes: FRAMES * FRAME }],
      radix: () => this.radix,
      hcall: (registers) => {
        this.passed.push(Number(registers[0]));
        registers[0] = 0n;
      },
      fatal: (reason) => {
        this.fatal = reason;
      },
    });
  }

  call(token: number, inputs: readonly number[] = [], srr1: bigint = S): number {
    const registers = new BigUint64Array(10);
    registers[0] = BigInt(token);
    for (const [index, word] of inputs.entries()) registers[1 + index] = BigInt(word);
    this.kvm.hcall(registers, srr1);
    return Number(BigInt.asIntN(64, registers[0] ?? 0n));
  }

  get vm(): string {
    return this.kvm.secure ? 'secure' : this.kvm.started ? 'transient' : 'normal';
  }

  bring(vm: string): void {
    if (vm !== 'normal') this.call(START);
    if (vm === 'secure') this.call(DONE);
    this.ucalls.length = 0;
  }

  state(gfn: number): string {
    return NAMES[this.kvm.frameOf(gfn)] ?? '';
  }
}

/** State of the guest × call: status with S, status without, state after (with S). */
const LIFE = `
normal    | start 0 -67 transient | done -67 -67 normal  | abort -67 -67 normal | in -67 -67 normal    | out -67 -67 normal
transient | start -75 -67 transient | done 0 -67 secure  | abort -4 -4 normal   | in 0 -67 transient   | out 0 -67 transient
secure    | start -75 -67 secure  | done 0 -67 secure    | abort -75 -75 secure | in -4 -67 secure     | out 0 -67 secure`;
const CALLS: Readonly<Record<string, readonly [number, readonly number[]]>> = {
  start: [START, []],
  done: [DONE, []],
  abort: [ABORT, []],
  in: [PAGE_IN, [5 * FRAME, 0, 16]],
  out: [PAGE_OUT, [5 * FRAME, 0, 16]],
};

test('every state of the guest × every call of its life, with MSR[S] and without', (t) => {
  for (const line of LIFE.trim().split('\n')) {
    const [vm = '', ...cells] = line.split('|').map((cell) => cell.trim());
    for (const cell of cells) {
      const [name = '', secure, plain, after = ''] = cell.split(' ');
      const [token = 0, inputs = []] = CALLS[name] ?? [];
      const stand = new Stand();
      stand.bring(vm);
      t.is(stand.call(token, inputs), Number(secure), `${vm} ${name} with S`);
      t.is(stand.vm, after, `${vm} ${name}: after`);
      const other = new Stand();
      other.bring(vm);
      t.is(other.call(token, inputs, 0n), Number(plain), `${vm} ${name} without S`);
    }
  }
});

/** Frame state × what happens to it, in a secure guest: status, state after. */
const FRAMES_TABLE = `
normal | share 0 shared | unshare 0 secure | out 0 normal | touch - normal | unmap - normal | done - secure
secure | share 0 shared | unshare -4 secure | out 0 out   | touch - out    | unmap - secure | done - secure
out    | share 0 shared | unshare 0 secure | out 0 out    | touch - out    | unmap - out    | done - out
shared | share 0 shared | unshare 0 secure | out 0 shared | touch - shared | unmap - shared | done - shared`;

function inState(stand: Stand, state: string): void {
  stand.call(START);
  if (state === 'secure' || state === 'out') stand.call(PAGE_IN, [5 * FRAME, 0, 16]);
  if (state === 'out') stand.call(PAGE_OUT, [5 * FRAME, 0, 16]);
  if (state === 'shared') stand.call(PAGE_IN, [5 * FRAME, 1, 16]);
}

test('every state of a frame × everything that happens to it', (t) => {
  for (const line of FRAMES_TABLE.trim().split('\n')) {
    const [state = '', ...cells] = line.split('|').map((cell) => cell.trim());
    for (const cell of cells) {
      const [what = '', status = '', after = ''] = cell.split(/\s+/);
      const stand = new Stand();
      inState(stand, state);
      t.is(stand.state(5), state, `${state}: to begin with`);
      const run: Record<string, () => number | undefined> = {
        share: () => stand.call(PAGE_IN, [5 * FRAME, 1, 16]),
        unshare: () => stand.call(PAGE_IN, [5 * FRAME, 0, 16]),
        out: () => stand.call(PAGE_OUT, [5 * FRAME, 0, 16]),
        touch: () => void stand.ram.u32(5 * FRAME, false),
        unmap: () => {
          stand.kvm.unmap(5);
          return undefined;
        },
        done: () => void stand.call(DONE),
      };
      const found = run[what]?.();
      t.is(found === undefined ? '-' : String(found), status, `${state} ${what}`);
      t.is(stand.state(5), after, `${state} ${what}: after`);
    }
    for (const [what, run] of [
      ['abort', (stand: Stand) => void stand.call(ABORT)],
      ['reset', (stand: Stand) => stand.kvm.svmOff()],
    ] as const) {
      const stand = new Stand();
      inState(stand, state);
      run(stand);
      t.is(stand.state(5), 'normal', `${state} ${what}`);
      t.is(stand.vm, 'normal');
    }
  }
});

test('what the ultravisor is asked: pages by their host address, and nothing for a page that is shared', (t) => {
  const stand = new Stand();
  stand.call(START);
  t.deepEqual(stand.ucalls, ['f120 1 0 100000 0 0']);
  stand.ucalls.length = 0;
  stand.call(PAGE_IN, [5 * FRAME, 0, 16]);
  t.deepEqual(stand.ucalls, ['f128 1 1000050000 50000 0 10']);
  stand.ucalls.length = 0;
  stand.call(PAGE_IN, [5 * FRAME, 1, 16]);
  t.deepEqual(stand.ucalls, ['f128 1 1000050000 50000 0 10'], 'dropped without UV_PAGE_OUT, then offered');
  stand.ucalls.length = 0;
  stand.ram.u8(5 * FRAME);
  t.deepEqual(stand.ucalls, [], 'a shared page is the host’s own');
  stand.call(DONE);
  stand.ram.setU8(6 * FRAME, 1);
  t.deepEqual(stand.ucalls, ['f12c 1 1000060000 60000 0 10']);
});

test('checks in KVM’s order', (t) => {
  const stand = new Stand();
  stand.call(START);
  t.is(stand.call(PAGE_IN, [FRAMES * FRAME, 2, 12]), -56, 'order first');
  t.is(stand.call(PAGE_IN, [FRAMES * FRAME, 2, 16]), -55, 'then flags');
  t.is(stand.call(PAGE_IN, [FRAMES * FRAME, 0, 16]), -4, 'then the slot');
  t.is(stand.call(PAGE_OUT, [FRAMES * FRAME, 1, 12]), -56);
  t.is(stand.call(PAGE_OUT, [FRAMES * FRAME, 1, 16]), -55);
  t.is(stand.call(PAGE_OUT, [FRAMES * FRAME, 0, 16]), -4);
});

test('INIT_START is refused for its reasons, and the abort that follows succeeds', (t) => {
  const vetoed = new Stand(false);
  t.is(vetoed.call(START), -10, 'H_AUTHORITY');
  t.is(vetoed.vm, 'transient', 'the bit is set before anything is looked at');
  t.is(vetoed.call(ABORT, [], 0n), -4, 'with S clear');
  t.deepEqual(vetoed.ucalls, ['f13c 1']);
  const hash = new Stand();
  hash.radix = false;
  t.is(hash.call(START), -67);
  t.is(new Stand(true, 0).call(START), -67, 'no secure memory on the host');
  const full = new Stand();
  full.answers.set(0xf120, -4);
  t.is(full.call(START), -4, 'a slot that the ultravisor does not take');
  t.deepEqual(
    full.ucalls.map((line) => line.split(' ')[0]),
    ['f120', 'f124'],
    'the failing slot is deleted',
  );
});

test('device pages run out: page-ins fail, and INIT_DONE cannot move what is left', (t) => {
  const stand = new Stand(true, 2);
  stand.call(START);
  t.is(stand.call(PAGE_IN, [0, 0, 16]), 0);
  t.is(stand.call(PAGE_IN, [FRAME, 0, 16]), 0);
  t.is(stand.call(PAGE_IN, [2 * FRAME, 0, 16]), -4);
  t.is(stand.call(PAGE_OUT, [0, 0, 16]), 0);
  t.is(stand.call(PAGE_IN, [2 * FRAME, 0, 16]), 0, 'one came back');
  t.is(stand.call(DONE), -75);
});

test('a page-out that the ultravisor refuses is a SIGBUS in QEMU', (t) => {
  const stand = new Stand();
  stand.bring('secure');
  stand.answers.set(0xf12c, -5);
  stand.ram.u8(3 * FRAME);
  t.regex(stand.fatal, /SIGBUS/);
  t.is(stand.state(3), 'secure');
});

test('every other hypercall goes on to QEMU', (t) => {
  const stand = new Stand();
  t.is(stand.call(0x74), 0);
  t.is(stand.call(0xef10), 0, 'H_TPM_COMM is QEMU’s');
  t.deepEqual(stand.passed, [0x74, 0xef10]);
});

test('a reset drops content and gives back what the ultravisor had', (t) => {
  const stand = new Stand();
  stand.bring('secure');
  stand.kvm.svmOff();
  const numbers = stand.ucalls.map((line) => line.split(' ')[0]);
  t.deepEqual(numbers, ['f124', 'f13c', 'f104']);
  stand.ucalls.length = 0;
  stand.kvm.svmOff();
  t.deepEqual(stand.ucalls, [], 'nothing for a guest that never began');
});
