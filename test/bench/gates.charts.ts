import * as echarts from 'echarts';

export interface Curve {
  readonly name: string;
  /** A gap where y is not finite. */
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly colour: string;
  readonly line?: 'solid' | 'dashed' | 'dotted';
  readonly width?: number;
  readonly marked?: boolean;
}
export interface Chart {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly curves: readonly Curve[];
  /** Only these stand in the legend; all by default. */
  readonly legend?: readonly string[];
}
export interface Axis {
  readonly name: string;
  readonly log?: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly label?: (value: number) => string;
  /** Names of the whole numbers from 0 on, in place of an axis of numbers. */
  readonly names?: readonly string[];
}

/** Okabe and Ito: told apart by people who see colours differently. */
export const COLOURS = {
  tidegate: '#0072b2',
  second: '#56b4e9',
  flagger: '#d55e00',
  argo: '#009e73',
  alert: '#cc79a7',
  limit: '#333333',
  faint: '#b8b8b8',
} as const;

const FONT = 'system-ui, sans-serif';
const INK = '#333333';

/** On a white card of its own: readable on light pages and on dark ones. */
export function svgOf({ title, x, y, curves, legend }: Chart): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 760, height: 400 });
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: FONT, color: INK },
    title: {
      text: title,
      left: 16,
      top: 10,
      textStyle: { fontSize: 15, fontWeight: 600, color: INK },
    },
    legend: {
      bottom: 8,
      itemGap: 26,
      data: [...(legend ?? curves.map(({ name }) => name))],
      textStyle: { color: INK, fontSize: 11 },
    },
    grid: { left: 78, right: 40, top: 56, bottom: 104 },
    xAxis: axis(x, 30),
    yAxis: axis(y, 56),
    series: curves.map(series),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}

const axis = ({ name, log, min, max, label, names }: Axis, gap: number) => ({
  ...(names
    ? { type: 'category' as const, data: [...names], boundaryGap: true }
    : { type: log ? ('log' as const) : ('value' as const) }),
  name,
  nameLocation: 'middle' as const,
  nameGap: gap,
  nameTextStyle: { color: INK },
  axisLabel: { color: INK, ...(label ? { formatter: label } : {}) },
  axisLine: { show: true, lineStyle: { color: INK } },
  splitLine: { lineStyle: { color: '#e4e4e4' } },
  ...(min === undefined ? {} : { min }),
  ...(max === undefined ? {} : { max }),
});

const series = ({ name, points, colour, line = 'solid', width = 2, marked = false }: Curve) => ({
  type: 'line' as const,
  name,
  data: points.map(([at, value]) => [at, Number.isFinite(value) ? value : null]),
  showSymbol: marked,
  symbolSize: 6,
  itemStyle: { color: colour },
  lineStyle: { color: colour, type: line, width },
});
