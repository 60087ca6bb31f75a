import test from 'ava';
import { clauseLaws } from '../_laws.ts';
import { CONFIG_PROOFS } from './_config.ts';
import { CONFIG_CLAUSES } from './config.ts';

clauseLaws(test, CONFIG_CLAUSES, CONFIG_PROOFS);
