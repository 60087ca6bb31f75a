import test from 'ava';
import { clauseLaws } from '../_laws.ts';
import { RNG_PROOFS } from './_rng.ts';
import { RNG_CLAUSES } from './rng.ts';

clauseLaws(test, RNG_CLAUSES, RNG_PROOFS);
