import { assert } from '../core/assert.ts';
import { IV_BYTES, TAG_BYTES, type SealingCipher } from '../core/crypto.ts';
import type { Rng } from '../core/rng.ts';
import {
  FRAME_BYTES,
  FRAME_SHIFT,
  H_PAGE_IN_NONSHARED,
  H_PAGE_IN_SHARED,
  SECURE_REAL_ADDRESS,
  U_P2,
  U_P3,
  U_P5,
  U_PARAMETER,
  U_RETRY,
  U_STATE,
  U_SUCCESS,
} from './abi.ts';
import type { Behaviour } from './behaviour.ts';
import {
  HV_SHARED,
  HV_SHARED_INV,
  HV_SHARING,
  HV_UNSHARED,
  HV_UNSHARING,
  HV_UNSHARING_INV,
  IMPLICIT,
  IMPLICIT_INV,
  isSecureClass,
  isShared,
  isTransient,
  isUnsharable,
  PAGED_OUT,
  PSEUDO,
  PSEUDO_INV,
  SECURE,
  SHARED,
  SHARED_INV,
  VM_ABORT,
  VM_STARTING,
  type ShareKind,
} from './page-state.ts';
import { MAPS_NORMAL, MAPS_NOTHING, MAPS_SECURE, ramOffset, type Svm } from './svm.ts';

/** What page operations ask of the ultravisor around them. */
export interface PageOwner {
  readonly behaviour: Behaviour;
  readonly cipher: SealingCipher;
  readonly chance: Rng;
  /** H_SVM_PAGE_IN of one frame: the hypervisor's status. It may make ultracalls before it answers. */
  hypervisorPageIn(gpa: number, flags: number): number;
  /** Ends the guest: ibm,os-term on its behalf. */
  kill(reason: string): void;
}

/** Nobody pages out a page that comes back forever. */
const PAGE_IN_TRIES = 4;

/**
 * What becomes of page frames: UV_PAGE_IN, UV_PAGE_OUT and UV_PAGE_INVAL of the hypervisor, sharing and unsharing of
 * the guest, in the released firmware's order of checks (core/svm_host.c).
 */
export class Pages {
  readonly #svm: Svm;
  readonly #owner: PageOwner;
  readonly #plain: Uint8Array = new Uint8Array(FRAME_BYTES);
  readonly #sealed: Uint8Array = new Uint8Array(FRAME_BYTES + TAG_BYTES);

  constructor(svm: Svm, owner: PageOwner) {
    this.#svm = svm;
    this.#owner = owner;
  }

  // --- The hypervisor's ultracalls --------------------------------------------------------------------------------

  pageIn(lpid: bigint, source: bigint, gpa: bigint, order: bigint): number {
    if (order !== BigInt(FRAME_SHIFT)) return U_P5;
    const page = this.#hypervisorPage(source);
    if (page < 0) return U_P2;
    const svm = this.#svm;
    if (!this.#knows(lpid)) return U_PARAMETER;
    if (svm.state === VM_ABORT) return U_STATE;
    const gfn = this.#frame(gpa);
    if (gfn < 0) return U_P3;
    switch (svm.stateOf(gfn)) {
      case SECURE:
      case HV_UNSHARED:
        if (svm.state !== VM_STARTING) return U_P2;
        this.#copyIn(gfn, page);
        return U_SUCCESS;
      case PAGED_OUT:
        if (svm.state !== VM_STARTING || this.#owner.behaviour.startPageIn === 'documented')
          return this.#decryptIn(gfn, page);
        svm.dropRecord(gfn);
        this.#copyIn(gfn, page);
        return U_SUCCESS;
      case SHARED:
      case SHARED_INV:
        svm.enter(gfn, SHARED);
        this.#map(gfn, page, MAPS_NORMAL);
        return U_SUCCESS;
      case IMPLICIT:
      case IMPLICIT_INV:
        svm.enter(gfn, IMPLICIT);
        this.#map(gfn, page, MAPS_NOTHING);
        return U_SUCCESS;
      case PSEUDO:
      case PSEUDO_INV:
        svm.enter(gfn, PSEUDO);
        svm.pages[gfn] = page;
        return U_SUCCESS;
      case HV_UNSHARING:
      case HV_UNSHARING_INV:
        svm.enter(gfn, HV_UNSHARING);
        return U_SUCCESS;
      default:
        // HV_SHARING, HV_SHARED, HV_SHARED_INV
        svm.enter(gfn, HV_SHARED);
        svm.pages[gfn] = page;
        return U_SUCCESS;
    }
  }

  pageOut(lpid: bigint, destination: bigint, gpa: bigint, order: bigint): number {
    if (order !== BigInt(FRAME_SHIFT)) return U_P5;
    const page = this.#hypervisorPage(destination);
    if (page < 0) return U_P2;
    if (!this.#knows(lpid)) return U_PARAMETER;
    const gfn = this.#frame(gpa);
    if (gfn < 0) return U_P3;
    const state = this.#svm.stateOf(gfn);
    if (state === HV_UNSHARED) return U_RETRY;
    const { behaviour } = this.#owner;
    if (isShared(state) && behaviour.sharedPageOut === 'documented') return U_SUCCESS;
    if (state !== SECURE) return U_PARAMETER;
    if (this.#svm.state !== VM_ABORT) this.#encryptOut(gfn, page);
    else if (behaviour.abortRestores === 'documented') this.#copyOut(gfn, page);
    return U_SUCCESS;
  }

  invalidate(lpid: bigint, gpa: bigint, order: bigint): number {
    if (order !== BigInt(FRAME_SHIFT)) return U_P3;
    const svm = this.#svm;
    if (!this.#knows(lpid)) return U_PARAMETER;
    if (svm.state === VM_ABORT) return U_STATE;
    const gfn = this.#frame(gpa);
    if (gfn < 0) return this.#owner.behaviour.invalidateNames === 'documented' ? U_P2 : U_P3;
    switch (svm.stateOf(gfn)) {
      case SHARED:
        svm.enter(gfn, SHARED_INV);
        svm.maps[gfn] = MAPS_NOTHING;
        return U_SUCCESS;
      case IMPLICIT:
        svm.enter(gfn, IMPLICIT_INV);
        return U_SUCCESS;
      case PSEUDO:
        svm.enter(gfn, PSEUDO_INV);
        return U_SUCCESS;
      case HV_SHARED:
        svm.enter(gfn, HV_SHARED_INV);
        return U_SUCCESS;
      case HV_UNSHARING:
        svm.enter(gfn, HV_UNSHARING_INV);
        return U_SUCCESS;
      case SHARED_INV:
      case IMPLICIT_INV:
      case PSEUDO_INV:
      case HV_SHARED_INV:
      case HV_UNSHARING_INV:
        return U_SUCCESS;
      default:
        return U_P2;
    }
  }

  /** Whether the ultravisor has a guest of this LPID. */
  #knows(lpid: bigint): boolean {
    return this.#svm.state !== 0 && lpid === BigInt(this.#svm.lpid);
  }

  /** An offset into the host's RAM for guests, or -1: no address, secure memory, or no memory that guests are kept in. */
  #hypervisorPage(address: bigint): number {
    if (address === 0n || (address & SECURE_REAL_ADDRESS) !== 0n) return -1;
    return ramOffset(address, this.#svm.ram.size);
  }

  #frame(gpa: bigint): number {
    if (gpa >= BigInt(this.#svm.store.size)) return -1;
    const address = Number(gpa);
    return this.#svm.inSlot(address) ? Math.floor(address / FRAME_BYTES) : -1;
  }

  // --- Content ----------------------------------------------------------------------------------------------------

  #map(gfn: number, page: number, maps: number): void {
    this.#svm.pages[gfn] = page;
    this.#svm.maps[gfn] = maps;
  }

  /** While the guest is becoming secure: plain text, which the hypervisor knows. */
  #copyIn(gfn: number, page: number): void {
    const svm = this.#svm;
    svm.ram.rawRead(page, this.#plain, 0, FRAME_BYTES);
    svm.store.write(gfn * FRAME_BYTES, this.#plain, 0, FRAME_BYTES);
    svm.enter(gfn, SECURE);
    svm.maps[gfn] = MAPS_SECURE;
  }

  #copyOut(gfn: number, page: number): void {
    const svm = this.#svm;
    svm.store.read(gfn * FRAME_BYTES, this.#plain, 0, FRAME_BYTES);
    svm.ram.rawWrite(page, this.#plain, 0, FRAME_BYTES);
  }

  #encryptOut(gfn: number, page: number): void {
    const svm = this.#svm;
    const { cipher, chance } = this.#owner;
    svm.maps[gfn] = MAPS_NOTHING;
    if (!svm.keyed) {
      chance.bytes(svm.key);
      chance.bytes(svm.ivFixed);
      svm.keyed = true;
      svm.ivCounter = 0n;
    }
    svm.store.read(gfn * FRAME_BYTES, this.#plain, 0, FRAME_BYTES);
    const iv = svm.nextIv();
    const sealed = cipher.seal(svm.key, iv, this.#plain);
    assert(sealed.length === this.#sealed.length, 'a tag is 16 bytes');
    svm.ram.rawWrite(page, sealed, 0, FRAME_BYTES);
    const record = new Uint8Array(IV_BYTES + TAG_BYTES);
    record.set(iv);
    record.set(sealed.subarray(FRAME_BYTES), IV_BYTES);
    svm.keepRecord(gfn, record);
    svm.enter(gfn, PAGED_OUT);
  }

  /** U_P3 for anything but the very bytes that went out last. */
  #decryptIn(gfn: number, page: number): number {
    const svm = this.#svm;
    const record = svm.record(gfn);
    if (record === undefined) return U_P3;
    svm.ram.rawRead(page, this.#sealed, 0, FRAME_BYTES);
    this.#sealed.set(record.subarray(IV_BYTES), FRAME_BYTES);
    const plain = this.#owner.cipher.open(svm.key, record.subarray(0, IV_BYTES), this.#sealed);
    if (plain === undefined) return U_P3;
    svm.store.write(gfn * FRAME_BYTES, plain, 0, FRAME_BYTES);
    svm.dropRecord(gfn);
    svm.enter(gfn, SECURE);
    svm.maps[gfn] = MAPS_SECURE;
    return U_SUCCESS;
  }

  /** The frame is secure again, on the page that is remembered for it (svm_secure_gfn). */
  #makeSecure(gfn: number, zero: boolean, reverting = false): void {
    const svm = this.#svm;
    const state = svm.stateOf(gfn);
    if (state === PAGED_OUT) {
      if (this.#owner.behaviour.keepPagedOut === 'documented') return;
      svm.dropRecord(gfn);
    } else if (state !== SECURE && state !== PSEUDO && state !== PSEUDO_INV) {
      if (zero) svm.store.fill(gfn * FRAME_BYTES, 0, FRAME_BYTES);
      // Its own page's address was overwritten by the hypervisor's when that was noted down.
      const remaps = reverting && state === HV_UNSHARED && this.#owner.behaviour.revertRemaps === 'released';
      svm.maps[gfn] = remaps ? MAPS_NORMAL : MAPS_SECURE;
    }
    svm.enter(gfn, SECURE);
  }

  // --- Sharing ----------------------------------------------------------------------------------------------------

  /** Of all frames or of none. U_P2 for a range that cannot be shared now, or that the hypervisor does not take. */
  share(gfn: bigint, count: bigint, kind: ShareKind): number {
    if (!this.#svm.rangeInSlots(gfn, count)) return U_P2;
    const first = Number(gfn);
    const end = first + Number(count);
    for (let frame = first; frame < end; frame++) {
      const state = this.#svm.stateOf(frame);
      if (isShared(state)) continue;
      if (isTransient(state)) {
        if (this.#owner.behaviour.shareReverts === 'documented') this.#revert(first, frame);
        return U_P2;
      }
      if (this.#offer(frame) !== 0) {
        this.#revert(first, frame + 1);
        return U_P2;
      }
    }
    this.#commit(first, end, kind);
    return U_SUCCESS;
  }

  /** Brings the frame to HV_SHARED with the hypervisor's help; its status. */
  #offer(gfn: number): number {
    const status = this.#bringBack(gfn);
    if (status !== 0) return status;
    this.#svm.enter(gfn, HV_SHARING);
    this.#svm.dropRecord(gfn);
    return this.#owner.hypervisorPageIn(gfn * FRAME_BYTES, H_PAGE_IN_SHARED);
  }

  /** A page that is out comes in before it is shared. A hypervisor that says so and does not do it is let be. */
  #bringBack(gfn: number): number {
    let tries = 0;
    while (this.#svm.stateOf(gfn) === PAGED_OUT && tries < PAGE_IN_TRIES) {
      tries++;
      const status = this.#owner.hypervisorPageIn(gfn * FRAME_BYTES, H_PAGE_IN_NONSHARED);
      if (status !== 0) return status;
    }
    // The released counter reads zero exactly when the last try brought the page.
    return tries === PAGE_IN_TRIES && this.#svm.stateOf(gfn) !== PAGED_OUT ? U_RETRY : U_SUCCESS;
  }

  /** Every frame of the range is HV_SHARED or was shared before; now the guest sees the hypervisor's pages. */
  #commit(first: number, end: number, kind: ShareKind): void {
    const svm = this.#svm;
    const again = this.#owner.behaviour.shareZeroesAgain === 'documented' && kind === 'explicit';
    for (let gfn = first; gfn < end; gfn++) {
      const state = svm.stateOf(gfn);
      if (isShared(state)) {
        if (again && state === SHARED) svm.ram.rawFill(svm.pageOf(gfn), 0, FRAME_BYTES);
        continue;
      }
      if (state !== HV_SHARED && state !== HV_SHARED_INV) {
        this.#owner.kill('the hypervisor claims to share a page that it did not bring');
        return;
      }
      this.#settle(gfn, kind, state);
    }
  }

  #settle(gfn: number, kind: ShareKind, state: number): void {
    const svm = this.#svm;
    const page = svm.pageOf(gfn);
    const gone = state === HV_SHARED_INV && this.#owner.behaviour.commitUnmaps === 'documented';
    if (!gone) svm.ram.rawFill(page, 0, FRAME_BYTES);
    if (kind === 'pseudo') svm.enter(gfn, gone ? PSEUDO_INV : PSEUDO);
    else if (kind === 'implicit') {
      svm.enter(gfn, gone ? IMPLICIT_INV : IMPLICIT);
      svm.maps[gfn] = MAPS_NOTHING;
    } else {
      svm.enter(gfn, gone ? SHARED_INV : SHARED);
      svm.maps[gfn] = gone ? MAPS_NOTHING : MAPS_NORMAL;
    }
  }

  /** Takes back what a share that failed has offered so far; a refusal now is the guest's end. */
  #revert(first: number, end: number): void {
    const svm = this.#svm;
    for (let gfn = first; gfn < end; gfn++) {
      const state = svm.stateOf(gfn);
      if (isShared(state) || isSecureClass(state)) continue;
      if (state === HV_SHARING) {
        // The second pass makes this one secure too; the released code names another first.
        this.#makeSecure(this.#owner.behaviour.revertFrame === 'released' ? first : gfn, false, true);
        continue;
      }
      if ((state !== HV_SHARED && state !== HV_SHARED_INV) || this.#withdraw(gfn) !== 0) {
        this.#owner.kill('the hypervisor does not give back a page that was not shared after all');
        return;
      }
    }
    for (let gfn = first; gfn < end; gfn++) {
      if (!isShared(svm.stateOf(gfn))) this.#makeSecure(gfn, false, true);
    }
  }

  /** H_SVM_PAGE_IN(NONSHARED): the hypervisor takes the frame for secure again. Its status. */
  #withdraw(gfn: number): number {
    this.#svm.enter(gfn, HV_UNSHARING);
    const status = this.#owner.hypervisorPageIn(gfn * FRAME_BYTES, H_PAGE_IN_NONSHARED);
    if (status === 0) this.#svm.enter(gfn, HV_UNSHARED);
    return status;
  }

  unshare(gfn: bigint, count: bigint): number {
    const svm = this.#svm;
    if (!svm.rangeInSlots(gfn, count)) return U_P2;
    const first = Number(gfn);
    const end = first + Number(count);
    for (let frame = first; frame < end; frame++) {
      const state = svm.stateOf(frame);
      if (isTransient(state) || isUnsharable(state)) return U_P2;
    }
    for (let frame = first; frame < end; frame++) {
      if (isSecureClass(svm.stateOf(frame))) continue;
      if (this.#withdraw(frame) !== 0) {
        this.#owner.kill('the hypervisor does not take a page for secure again');
        return U_P2;
      }
    }
    for (let frame = first; frame < end; frame++) this.#makeSecure(frame, true);
    return U_SUCCESS;
  }

  /** Every frame that the guest shared, in order. One refusal, and the rest stays as it is. */
  unshareAll(): number {
    const svm = this.#svm;
    for (let gfn = 0; gfn < svm.frames; gfn++) {
      const state = svm.stateOf(gfn);
      if (isUnsharable(state) || isSecureClass(state)) continue;
      if (isTransient(state) || this.#withdraw(gfn) !== 0) return U_P2;
      this.#makeSecure(gfn, true);
    }
    return U_SUCCESS;
  }
}
