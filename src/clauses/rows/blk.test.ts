import test from 'ava';
import { clauseLaws } from '../_laws.ts';
import { BLK_PROOFS } from './_blk.ts';
import { BLK_CLAUSES } from './blk.ts';

clauseLaws(test, BLK_CLAUSES, BLK_PROOFS, {
  'IMP-BLK-003': 'QEMU 7.2 writes a short serial number and its end, not the rest of the field',
});
