// Convolutions over one dimension as the surveyed models have them, forward and backward (of input, weight and bias).
// The peer gets the same sizes with each case.

interface Convolution {
  /** [N, C, L]. */
  readonly shape: readonly number[];
  /** [out, C / groups, kernel]. */
  readonly weight: readonly number[];
  readonly options?: {
    readonly stride?: number;
    readonly padding?: number;
    readonly dilation?: number;
    readonly groups?: number;
  };
}

export const CONVOLUTIONS: Readonly<Record<string, Convolution>> = {
  pointNet64: { shape: [32, 64, 1024], weight: [128, 64, 1] },
  pointNet128: { shape: [4, 128, 1024], weight: [1024, 128, 1] },
  m5First: { shape: [64, 1, 8000], weight: [32, 1, 80], options: { stride: 16 } },
  m5Second: { shape: [64, 32, 122], weight: [32, 32, 3] },
  xVectorFirst: { shape: [16, 30, 200], weight: [512, 30, 5] },
  xVectorSecond: { shape: [16, 128, 196], weight: [128, 128, 5], options: { dilation: 2 } },
  xVectorThird: { shape: [16, 128, 188], weight: [128, 128, 7], options: { dilation: 3 } },
  ecapa: { shape: [32, 64, 200], weight: [64, 64, 3], options: { dilation: 4, padding: 4 } },
  spam: { shape: [32, 16, 1024], weight: [32, 16, 9], options: { padding: 4 } },
  ecg: { shape: [32, 32, 512], weight: [64, 32, 7], options: { stride: 2, padding: 3 } },
  depthwise: { shape: [32, 128, 256], weight: [128, 1, 9], options: { groups: 128, padding: 4 } },
  depthwiseDilated: {
    shape: [32, 64, 512],
    weight: [64, 1, 3],
    options: { groups: 64, dilation: 2, padding: 2 },
  },
};

/** Every convolution, forward and backward. */
export function convolutionCases(): {
  readonly group: string;
  readonly mode: 'operation' | 'gradient';
  readonly operation: string;
  readonly shape: readonly number[];
}[] {
  return (['operation', 'gradient'] as const).flatMap((mode) =>
    Object.entries(CONVOLUTIONS).map(([operation, { shape }]) => ({
      ...{ group: mode === 'operation' ? 'conv1d' : 'conv1d-backward', mode, operation, shape },
    })),
  );
}
