import test from 'ava';
import { clauseLaws } from '../_laws.ts';
import { RINGS_PROOFS } from './_rings.ts';
import { RINGS_CLAUSES } from './rings.ts';

clauseLaws(test, RINGS_CLAUSES, RINGS_PROOFS, {
  'SPLIT-DEV-016': 'where buffers do not merge, QEMU writes ten of the twelve bytes of a frame’s header',
});
