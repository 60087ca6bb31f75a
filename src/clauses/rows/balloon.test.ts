import test from 'ava';
import { clauseLaws } from '../_laws.ts';
import { BALLOON_PROOFS } from './_balloon.ts';
import { BALLOON_CLAUSES } from './balloon.ts';

clauseLaws(test, BALLOON_CLAUSES, BALLOON_PROOFS);
