// What charts and maps of Open Huizhou use of Apache ECharts; nothing else is in the file that readers load.
import { use } from "echarts/core";
import { BarChart, LineChart, MapChart, PieChart, ScatterChart } from "echarts/charts";
import {
  AriaComponent,
  GeoComponent,
  GridComponent,
  LegendScrollComponent,
  TitleComponent,
  TooltipComponent,
  VisualMapContinuousComponent,
} from "echarts/components";
import { LabelLayout } from "echarts/features";
import { CanvasRenderer, SVGRenderer } from "echarts/renderers";

use([
  BarChart, LineChart, MapChart, PieChart, ScatterChart,
  AriaComponent, GeoComponent, GridComponent, LegendScrollComponent, TitleComponent, TooltipComponent,
  VisualMapContinuousComponent, LabelLayout, CanvasRenderer, SVGRenderer,
]);

export { init, registerMap, version } from "echarts/core";
