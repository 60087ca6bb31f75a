import test from 'ava';
import { clauseLaws } from '../_laws.ts';
import { NET_CONFIG_PROOFS } from './_net-config.ts';
import { NET_CONFIG_CLAUSES } from './net-config.ts';

clauseLaws(test, NET_CONFIG_CLAUSES, NET_CONFIG_PROOFS);
