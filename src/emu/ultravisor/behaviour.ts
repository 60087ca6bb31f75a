/**
 * Where the released firmware and its document disagree. Each row is one switch; two named behaviours set them all, and
 * any row may be set by itself (`released,shareZeroesAgain=documented`).
 *
 * Rows 1–12 are the twelve of the fact sheet (ultravisor 12). The others were found in the released code while this was
 * built; the document says nothing of the kind, so `documented` is what it says of the operation.
 */

/** How one disagreement is settled. */
export type Side = 'released' | 'documented';

export type Knob =
  | 'random'
  | 'esmAgain'
  | 'abortRestores'
  | 'sharedPageOut'
  | 'invalidateNames'
  | 'shareZeroesAgain'
  | 'keepPagedOut'
  | 'shareAnswers'
  | 'busy'
  | 'pateRefuses'
  | 'pageCipher'
  | 'treeChecked'
  | 'shareReverts'
  | 'revertRemaps'
  | 'commitUnmaps'
  | 'randomRegisters'
  | 'revertFrame'
  | 'startPageIn';

export interface Disagreement {
  readonly number: number;
  readonly knob: Knob;
  readonly about: string;
  readonly released: string;
  readonly documented: string;
  /** Where it is read in the released code, or why it changes nothing here. */
  readonly source: string;
}

export const DISAGREEMENTS: readonly Disagreement[] = [
  {
    number: 1,
    knob: 'random',
    about: 'H_RANDOM of a secure guest',
    released: 'the ultravisor answers H_FUNCTION',
    documented: 'the ultravisor draws the number itself',
    source: 'core/hvcall.c',
  },
  {
    number: 2,
    knob: 'esmAgain',
    about: 'UV_ESM of a guest that is secure already',
    released: 'U_RETRY',
    documented: 'U_SUCCESS',
    source: 'core/svm_host.c create_svm',
  },
  {
    number: 3,
    knob: 'abortRestores',
    about: 'UV_PAGE_OUT after UV_ESM failed',
    released: 'U_SUCCESS, and the page is never written: the guest goes on with whatever the new page holds',
    documented: 'the guest’s own content is given back, so that it can go on',
    source: 'core/svm_host.c __handle_page_out',
  },
  {
    number: 4,
    knob: 'sharedPageOut',
    about: 'UV_PAGE_OUT of a shared page',
    released: 'U_PARAMETER',
    documented: 'U_SUCCESS, nothing is done',
    source: 'core/svm_host.c handle_page_out',
  },
  {
    number: 5,
    knob: 'invalidateNames',
    about: 'which parameter UV_PAGE_INVAL names',
    released: 'U_P3 for a bad order and for a bad address',
    documented: 'U_P3 for a bad order, U_P2 for a bad address',
    source: 'core/svm_host.c handle_page_inval',
  },
  {
    number: 6,
    knob: 'shareZeroesAgain',
    about: 'sharing a page that is shared',
    released: 'the page keeps its content',
    documented: 'the page is zeroed',
    source: 'core/svm_host.c page_share_with_hv',
  },
  {
    number: 7,
    knob: 'keepPagedOut',
    about: 'unsharing, or failing to share, a range with a page that is paged out',
    released: 'its record is dropped without a page-in: whoever touches it faults for ever',
    documented: 'it stays paged out',
    source: 'core/svm_host.c page_unshare_with_hv, revert_transient_pages_to_secure',
  },
  {
    number: 8,
    knob: 'shareAnswers',
    about: 'r3 after UV_SHARE_PAGE, UV_UNSHARE_PAGE, UV_UNSHARE_ALL_PAGES',
    released: 'never written: the guest finds the call’s number',
    documented: 'the status',
    source: 'core/uvcall.c uv_switch_page',
  },
  {
    number: 9,
    knob: 'busy',
    about: 'the value of U_BUSY',
    released: '-2, which is U_FUNCTION too',
    documented: '1, as H_BUSY',
    source: 'include/uvcall.h; nothing here is ever busy, so it shows in reports only',
  },
  {
    number: 10,
    knob: 'pateRefuses',
    about: 'UV_WRITE_PATE for a secure guest',
    released: 'dw0 is kept, dw1 is written, 0',
    documented: 'U_PERMISSION, nothing is written',
    source: 'core/svm_host.c svm_setup_partition_table',
  },
  {
    number: 11,
    knob: 'pageCipher',
    about: 'how pages are encrypted',
    released: 'AES-128-GCM',
    documented: 'IAPM',
    source: 'svm/svm-crypto.c; both are AES-128-GCM here, which the hypervisor cannot tell from IAPM',
  },
  {
    number: 12,
    knob: 'treeChecked',
    about: 'the device tree that QEMU hands over',
    released: 'believed, RTAS tokens for all guests alike',
    documented: 'checked before the guest starts',
    source: 'svm/svm-fdt.c; here RTAS tokens must be unlike each other and in the range PAPR leaves to them',
  },
  {
    number: 13,
    knob: 'shareReverts',
    about: 'sharing a range in which a later page is in transition',
    released: 'U_P2, and the pages before it stay with the hypervisor, never committed',
    documented: 'U_P2, and the pages before it are secure again',
    source: 'core/svm_host.c page_share_with_hv returns before its revert',
  },
  {
    number: 14,
    knob: 'revertRemaps',
    about: 'which page backs a frame whose sharing was taken back',
    released: 'the hypervisor’s page, for its address took the place of the secure page’s',
    documented: 'the secure page that backed it before',
    source: 'include/svm_host.h svm_hv_shared_gfn, svm_secure_gfn',
  },
  {
    number: 15,
    knob: 'commitUnmaps',
    about: 'a page that the hypervisor invalidated before the share is complete',
    released: 'the hypervisor’s old page is zeroed and mapped',
    documented: 'it is left without a mapping',
    source: 'include/svm_host.h svm_hv_shared_invalidate_gfn keeps the old address',
  },
  {
    number: 16,
    knob: 'randomRegisters',
    about: 'general registers that a hypercall does not declare, as the hypervisor sees them',
    released: 'r0 is random, the others are 0',
    documented: 'all of them are random',
    source: 'core/context.c; ultravisor 4',
  },
  {
    number: 17,
    knob: 'revertFrame',
    about: 'which frame is made secure when the hypervisor refuses one of a range',
    released: 'the first of the range too, even if it was shared before: the hypervisor goes on sharing it',
    documented: 'the one that was refused, and those that were not shared before',
    source: 'core/svm_host.c revert_transient_pages_to_secure',
  },
  {
    number: 18,
    knob: 'startPageIn',
    about: 'UV_PAGE_IN, before the guest is secure, of a page that went out',
    released: 'whatever the hypervisor brings is copied',
    documented: 'it is decrypted and verified',
    source: 'core/svm_host.c __handle_page_in',
  },
];

export type Behaviour = Readonly<Record<Knob, Side>>;

/** All switches on one side, but for those named. */
export function behaviourOf(side: Side, except: Partial<Behaviour> = {}): Behaviour {
  return Object.fromEntries(
    DISAGREEMENTS.map(({ knob }) => [knob, except[knob] ?? side]),
  ) as unknown as Behaviour;
}
