import test from 'ava';
import { clauseLaws } from '../_laws.ts';
import { NET_LEGACY_PROOFS } from './_net-legacy.ts';
import { NET_LEGACY_CLAUSES } from './net-legacy.ts';

clauseLaws(test, NET_LEGACY_CLAUSES, NET_LEGACY_PROOFS);
