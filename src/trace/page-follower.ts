import type { MachineEvent } from '../emu/core/tap.ts';
import {
  FRAME_SHIFT,
  UV_PAGE_IN,
  UV_PAGE_INVAL,
  UV_PAGE_OUT,
  UV_REGISTER_MEM_SLOT,
  UV_SHARE_PAGE,
  UV_UNSHARE_ALL_PAGES,
  UV_UNSHARE_PAGE,
} from '../emu/ultravisor/abi.ts';
import type { RecordedKind } from './event-context.ts';
import type { LastWriters } from './last-writers.ts';

const FRAME = BigInt(FRAME_SHIFT);

/** Which argument of an hypervisor's ultracall is the frame's address. */
const ADDRESS_OF: ReadonlyMap<number, number> = new Map([
  [UV_PAGE_IN, 3],
  [UV_PAGE_OUT, 3],
  [UV_PAGE_INVAL, 2],
]);

/**
 * Picks the events of one guest page frame: its states in both tables, the calls that are about it and what they answer,
 * accesses of devices and of the hypervisor to it, faults on it, and what becomes of the whole guest.
 */
export class PageFollower {
  readonly #gfn: bigint;
  readonly #names: readonly string[];
  readonly #memory: LastWriters;
  /** For each call under way, whether it is followed. */
  readonly #calls: boolean[] = [];

  constructor(gfn: number, kinds: readonly RecordedKind[], memory: LastWriters) {
    this.#gfn = BigInt(gfn);
    this.#names = kinds.map((kind) => kind.name);
    this.#memory = memory;
  }

  takes(event: MachineEvent): boolean {
    const { fields } = event;
    switch (this.#names[event.kind]) {
      case 'page-state':
        return fields[1] === this.#gfn;
      case 'vm-state':
      case 'machine-reset':
        return true;
      case 'ucall':
        return this.#begins(this.#isShared(fields));
      case 'hypervisor-ucall':
        return this.#begins(this.#isNamed(fields));
      case 'uv-hcall':
        return this.#begins(fields[1] !== 0n && this.#inFrame(fields[1] ?? 0n));
      case 'ucall-return':
      case 'hypervisor-ucall-return':
      case 'uv-hcall-return':
        return this.#calls.pop() === true;
      case 'guest-fault':
      case 'hypervisor-read':
      case 'hypervisor-write':
        return this.#inFrame(fields[0] ?? 0n);
      case 'dma-read':
      case 'dma-write': {
        const address = fields[1] ?? 0n;
        return this.#inFrame(this.#memory.translate(address) ?? address);
      }
      default:
        return false;
    }
  }

  #begins(followed: boolean): boolean {
    this.#calls.push(followed);
    return followed;
  }

  #inFrame(address: bigint): boolean {
    return address >> FRAME === this.#gfn;
  }

  #isShared(fields: BigUint64Array): boolean {
    const [number = 0n, gfn = 0n, count = 0n] = fields;
    if (number === BigInt(UV_UNSHARE_ALL_PAGES)) return true;
    if (number !== BigInt(UV_SHARE_PAGE) && number !== BigInt(UV_UNSHARE_PAGE)) return false;
    return this.#gfn >= gfn && this.#gfn < gfn + count;
  }

  #isNamed(fields: BigUint64Array): boolean {
    const number = Number(fields[0] ?? 0n);
    if (number === UV_REGISTER_MEM_SLOT) {
      const [, , from = 0n, bytes = 0n] = fields;
      return this.#gfn << FRAME >= from && this.#gfn << FRAME < from + bytes;
    }
    const at = ADDRESS_OF.get(number);
    return at !== undefined && this.#inFrame(fields[at] ?? 0n);
  }
}
