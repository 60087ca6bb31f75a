/** The states of a guest page frame as the ultravisor keeps them (open-power/ultravisor include/svm_host.h). */

export const SECURE = 0;
export const PAGED_OUT = 1;
/** Shared by UV_SHARE_PAGE. */
export const SHARED = 2;
export const SHARED_INV = 3;
/** Shared by the ultravisor for its own buffers: the guest must not touch it. */
export const IMPLICIT = 4;
export const IMPLICIT_INV = 5;
export const HV_SHARING = 6;
export const HV_SHARED = 7;
export const HV_SHARED_INV = 8;
export const HV_UNSHARING = 9;
export const HV_UNSHARING_INV = 10;
export const HV_UNSHARED = 11;
/** The hypervisor thinks that it is shared; the guest keeps a page of its own. */
export const PSEUDO = 12;
export const PSEUDO_INV = 13;

/** By state. */
export const PAGE_STATES: readonly string[] = [
  'secure',
  'paged-out',
  'shared',
  'shared-invalid',
  'shared-implicit',
  'shared-implicit-invalid',
  'hv-sharing',
  'hv-shared',
  'hv-shared-invalid',
  'hv-unsharing',
  'hv-unsharing-invalid',
  'hv-unshared',
  'pseudo-shared',
  'pseudo-shared-invalid',
];

export function isShared(state: number): boolean {
  return (state >= SHARED && state <= IMPLICIT_INV) || state >= PSEUDO;
}

/** Between two settled states: an operation of the ultravisor's own is under way, or was left half done. */
export function isTransient(state: number): boolean {
  return state >= HV_SHARING && state <= HV_UNSHARED;
}

/** Shared, but not by the guest, which cannot take it back. */
export function isUnsharable(state: number): boolean {
  return state === IMPLICIT || state === IMPLICIT_INV || state >= PSEUDO;
}

export function isSecureClass(state: number): boolean {
  return state <= PAGED_OUT;
}

/** How a page is shared: with the guest's knowledge, without it, or in the hypervisor's belief only. */
export type ShareKind = 'explicit' | 'implicit' | 'pseudo';

/** What the ultravisor keeps of a whole guest; by state. `none`: it knows no guest of that LPID. */
export const VM_STATES: readonly string[] = ['none', 'starting', 'secure', 'abort', 'ended'];
export const VM_NONE = 0;
/** UV_ESM is under way. */
export const VM_STARTING = 1;
export const VM_SECURE = 2;
/** UV_ESM failed and the hypervisor has not yet terminated it. */
export const VM_ABORT = 3;
/** Killed: ibm,os-term was issued for it. */
export const VM_ENDED = 4;
