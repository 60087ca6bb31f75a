import test from 'ava';
import { clauseLaws } from '../_laws.ts';
import { NET_EXTRA_PROOFS } from './_net-extra.ts';
import { NET_EXTRA_CLAUSES } from './net-extra.ts';

clauseLaws(test, NET_EXTRA_CLAUSES, NET_EXTRA_PROOFS);
