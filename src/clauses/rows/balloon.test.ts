import test from 'ava';
import { clauseLaws } from '../_laws.ts';
import { BALLOON_PROOFS } from './_balloon.ts';
import { BALLOON_CLAUSES } from './balloon.ts';

clauseLaws(test, BALLOON_CLAUSES, BALLOON_PROOFS, {
  'BALL-DRV-002':
    'Linux writes the configuration of a legacy device byte by byte (drivers/virtio/virtio_pci_legacy.c)',
  'BALL-DEV-003': 'QEMU 7.2 counts every byte: the row countsActualByByte of virtio/behaviour.ts',
});
