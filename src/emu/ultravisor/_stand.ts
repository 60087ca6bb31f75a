// An ultravisor with a hypervisor that does what a test says, and no machine around them.
import { SILENT } from '../core/diagnostics.ts';
import { AES_GCM } from '../core/crypto.ts';
import { HostRam } from '../memory/host-ram.ts';
import { behaviourOf, type Behaviour } from './behaviour.ts';
import type { HypervisorExit, HypervisorPort, SecureEvents } from './ports.ts';
import type { ReflectedFrame } from './reflection.ts';
import { Ultravisor } from './ultravisor.ts';

export const FRAMES = 32;
const FRAME = 0x1_0000;
const RAM_AT = 0x10_0000_0000n;

export class Stand implements HypervisorPort {
  readonly ram: HostRam = new HostRam(FRAMES * FRAME);
  readonly uv: Ultravisor;
  readonly heard: string[] = [];
  readonly frames: bigint[][] = [];
  msr: bigint = (1n << 63n) | 1n;
  /** What the hypervisor does with an entry; its status, or undefined for none of its business. */
  answer: (token: number, inputs: readonly bigint[], frame: ReflectedFrame) => number = () => 0;
  exit: HypervisorExit = 'uv-return';

  constructor(side: 'released' | 'documented', except: Partial<Behaviour> = {}) {
    const events: SecureEvents = {
      guestFault: () => undefined,
      hypervisorUcall: () => undefined,
      hypervisorUcallReturn: () => undefined,
      ownHcall: (token, inputs) => this.heard.push(`hcall ${token.toString(16)} ${inputs.join(' ')}`.trim()),
      ownHcallReturn: () => undefined,
      reflect: (frame) => this.frames.push([...frame.words]),
      reflectReturn: () => undefined,
      pageState: () => undefined,
      vmState: () => undefined,
    };
    this.uv = new Ultravisor({
      ram: this.ram,
      secureBytes: 2 * FRAMES * FRAME,
      cpus: 2,
      seed: 'stand',
      behaviour: behaviourOf(side, except),
      lockbox: 'trust',
      cipher: AES_GCM,
      events,
      diagnostics: SILENT,
      msr: () => this.msr,
      setMsr: (msr) => {
        this.msr = msr;
      },
      acting: () => 0,
    });
    this.uv.hypervisor = this;
  }

  enter(frame: ReflectedFrame): HypervisorExit {
    const token = frame.vector === 0xc00 ? Number(frame.general[3]) : frame.vector;
    const inputs = frame.vector === 0xc00 ? [...frame.general.subarray(4, 13)] : [frame.faultAddress];
    const status = this.answer(token, inputs, frame);
    if (frame.vector === 0xc00) frame.general[0] = BigInt.asUintN(64, BigInt(status));
    return this.exit;
  }

  /** A guest that is becoming secure (1), or is (2), without any of what UV_ESM looks at. */
  bring(state: 1 | 2 | 3): void {
    this.uv.svm.lpid = 1;
    this.uv.svm.state = 1;
    this.hv(0xf120, 1n, 0n, BigInt(FRAMES * FRAME), 0n, 0n);
    this.uv.svm.state = state;
  }

  /** An ultracall of the hypervisor. */
  hv(number: number, ...inputs: readonly bigint[]): number {
    return this.uv.hypervisorUcall(number, ...inputs);
  }

  /** An ultracall of the guest: r3 afterwards. */
  guest(number: number, ...inputs: readonly bigint[]): number {
    const registers = new BigUint64Array(10);
    registers[0] = BigInt(number);
    for (const [index, value] of inputs.entries()) registers[1 + index] = value;
    this.uv.guestUcall(registers);
    return Number(BigInt.asIntN(64, registers[0] ?? 0n));
  }

  pageIn(gfn: number, page: number = gfn): number {
    return this.hv(0xf128, 1n, this.page(page), BigInt(gfn * FRAME), 0n, 16n);
  }

  pageOut(gfn: number, page: number = gfn): number {
    return this.hv(0xf12c, 1n, this.page(page), BigInt(gfn * FRAME), 0n, 16n);
  }

  invalidate(gfn: number): number {
    return this.hv(0xf138, 1n, BigInt(gfn * FRAME), 16n);
  }

  page(gfn: number): bigint {
    return RAM_AT + BigInt(gfn * FRAME);
  }

  /** Answers H_SVM_PAGE_IN as KVM does. */
  cooperate(): void {
    this.answer = (token, inputs) => {
      if (token !== 0xef00 && token !== 0xe00) return 0;
      const gfn = Number(inputs[0] ?? 0n) / FRAME;
      const asked =
        token === 0xe00 || this.state(gfn) === 6 || this.state(gfn) === 1 || this.state(gfn) === 9;
      return asked || this.uv.svm.state === 1 ? this.pageIn(gfn) && -4 : 0;
    };
  }

  state(gfn: number): number {
    return this.uv.svm.states[gfn] ?? -1;
  }
}
