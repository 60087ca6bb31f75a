import test from 'ava';
import { clauseLaws } from '../_laws.ts';
import { BLK_PROOFS } from './_blk.ts';
import { BLK_CLAUSES } from './blk.ts';

clauseLaws(test, BLK_CLAUSES, BLK_PROOFS);
