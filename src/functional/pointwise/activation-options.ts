// Options of activations, read and checked: for the functions at each call, for the layers when one is made.
import * as check from '../../check/index.js';

/** Options with their defaults in place. */
type Known<Options> = { readonly [Name in keyof Options]-?: Exclude<Options[Name], undefined> };

/** A finite number option. */
export function numberOption(who: string, name: string, value: unknown, standard: number): number {
  if (value === undefined) return standard;
  if (typeof value !== 'number') throw check.wrongKind(who, `${name} to be a number`, value);
  if (!Number.isFinite(value)) {
    throw check.wrongValue(who, `${name} to be a finite number`, check.describe(value));
  }
  return value;
}

export interface GELUOptions {
  /** 'none' (default): by the normal distribution; 'tanh': x / 2 (1 + tanh(√(2/π) (x + 0.044715 x³))). */
  approximate?: 'none' | 'tanh' | undefined;
}

export function geluOptions(who: string, options: GELUOptions): Known<GELUOptions> {
  check.options(who, options, ['approximate']);
  const { approximate = 'none' } = options;
  return { approximate: check.oneOf(who, 'approximate', approximate, ['none', 'tanh']) };
}

export interface LeakyReLUOptions {
  /** The slope below 0. Default 0.01. */
  negativeSlope?: number | undefined;
}

export function leakyReluOptions(who: string, options: LeakyReLUOptions): Known<LeakyReLUOptions> {
  check.options(who, options, ['negativeSlope']);
  return { negativeSlope: numberOption(who, 'negativeSlope', options.negativeSlope, 0.01) };
}

export interface ELUOptions {
  /** What it tends to below 0, with the sign changed. Default 1. */
  alpha?: number | undefined;
}

export function eluOptions(who: string, options: ELUOptions): Known<ELUOptions> {
  check.options(who, options, ['alpha']);
  return { alpha: numberOption(who, 'alpha', options.alpha, 1) };
}

export interface SoftplusOptions {
  /** How sharply it bends. Default 1. */
  beta?: number | undefined;
  /** Where beta · x is above, the result is x. Default 20. */
  threshold?: number | undefined;
}

export function softplusOptions(who: string, options: SoftplusOptions): Known<SoftplusOptions> {
  check.options(who, options, ['beta', 'threshold']);
  const beta = numberOption(who, 'beta', options.beta, 1);
  if (beta === 0) throw check.wrongValue(who, 'beta other than 0', '0');
  return { beta, threshold: numberOption(who, 'threshold', options.threshold, 20) };
}

export interface HardtanhOptions {
  /** Default -1. */
  minVal?: number | undefined;
  /** Default 1. */
  maxVal?: number | undefined;
}

export function hardtanhOptions(who: string, options: HardtanhOptions): Known<HardtanhOptions> {
  check.options(who, options, ['minVal', 'maxVal']);
  const minVal = numberOption(who, 'minVal', options.minVal, -1);
  const maxVal = numberOption(who, 'maxVal', options.maxVal, 1);
  if (minVal > maxVal) {
    throw check.wrongValue(
      who,
      'minVal of at most maxVal (max_val must be larger than min_val)',
      `${minVal} and ${maxVal}`,
    );
  }
  return { minVal, maxVal };
}
