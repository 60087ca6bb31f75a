/** Faults that can be planted in the world of a secure guest, so that whoever judges can be seen to notice. */
import type { Machine } from '../emu/machine/machine.ts';
import type { SecureSide } from '../emu/machine/secure-side.ts';
import { FRAME_BYTES, MSR_S } from '../emu/ultravisor/abi.ts';

const SECURE_SLIPS = [
  'forget-to-zero',
  'no-ciphertext',
  'pass-all-registers',
  'answer-anybody',
  'page-out-on-reset',
  'forget-unshare-all',
  'ignore-capability',
] as const;

export type SecureSlip = (typeof SECURE_SLIPS)[number];

export function isSecureSlip(slip: string | undefined): slip is SecureSlip {
  return SECURE_SLIPS.some((name) => name === slip);
}

/** Makes the machine's host slip from now on. Slips that are settings, or omissions of the guest, are not made here. */
export function plantSlip(machine: Machine, { ultravisor, hypervisor }: SecureSide, slip: SecureSlip): void {
  const { ram, store } = ultravisor.svm;
  if (slip === 'forget-to-zero') {
    ram.rawFill = (offset, value, length) => {
      // What stands in the secure page is left for whoever gets the new one.
      if (value === 0) ram.rawWrite(offset, store.view(offset, length), 0, length);
    };
  } else if (slip === 'answer-anybody') {
    const answer = hypervisor.hcall.bind(hypervisor);
    hypervisor.hcall = (registers, srr1) => {
      answer(registers, srr1 | MSR_S);
    };
  } else if (slip === 'page-out-on-reset') {
    const off = hypervisor.svmOff.bind(hypervisor);
    hypervisor.svmOff = () => {
      const kept = store.view(0, 0x100 * FRAME_BYTES).slice();
      off();
      ram.rawWrite(0, kept, 0, kept.length);
    };
  } else if (slip === 'pass-all-registers') {
    const { registers } = machine.platform;
    ultravisor.hypervisor = {
      enter: (frame) => {
        for (let i = 1; i < registers.length; i++) frame.general[3 + i] = registers[i] ?? 0n;
        return hypervisor.enter(frame);
      },
    };
  }
}
