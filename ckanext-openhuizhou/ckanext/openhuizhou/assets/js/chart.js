// Draws charts and maps from the figures that the page holds. The library is fetched when a picture is about to be
// seen; without it, or without this file, the figures stand in the table below.
(function () {
  "use strict";
  var LANG = document.documentElement.lang || "zh-CN";
  var LIGHT = ["#0b6b6a", "#b23c28", "#3f56a6", "#8a6400", "#7a3c92", "#2d7a34", "#a02c6b", "#5b6770"];
  var DARK = ["#69cdc2", "#f39a86", "#9db2f2", "#e6c35f", "#d6a6e8", "#8ed794", "#f0a3cf", "#c3ccd1"];
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  var still = window.matchMedia("(prefers-reduced-motion: reduce)");
  var exact = new Intl.NumberFormat(LANG, { maximumFractionDigits: 6 });
  var compact = new Intl.NumberFormat(LANG, { notation: "compact", maximumFractionDigits: 2 });

  // 12.3万 at an axis; a unit that counts in ten thousands itself (万元) keeps whole figures
  function short(unit) {
    return /^[百千万亿]/.test(unit) ? exact.format : compact.format;
  }

  function figure(value, unit) {
    return value === null || value === undefined ? "—" : exact.format(value) + (unit ? " " + unit : "");
  }

  function colours(light) {
    var style = getComputedStyle(document.documentElement);
    var take = function (name) { return style.getPropertyValue("--oh-" + name).trim(); };
    var now = { ink: take("ink"), muted: take("muted"), line: take("line"), surface: take("surface"), soft: take("brand-soft"), brand: take("brand"), onBrand: take("on-brand"), series: dark.matches ? DARK : LIGHT };
    // a saved picture lies on paper, whatever the screen is
    return light ? { ink: "#14302f", muted: "#47625f", line: "#d5e2df", surface: "#ffffff", soft: "#dff0ed", brand: "#0b6b6a", onBrand: "#ffffff", series: LIGHT } : now;
  }

  function base(look, data) {
    return {
      backgroundColor: look.surface,
      color: look.series,
      textStyle: { color: look.ink, fontFamily: getComputedStyle(document.body).fontFamily },
      animation: !still.matches,
      animationDuration: 300,
      aria: { enabled: true, label: { enabled: false }, decal: { show: (data.series || []).length > 1 || data.kind === "pie" } },
      tooltip: { confine: true, backgroundColor: look.surface, borderColor: look.line, textStyle: { color: look.ink } }
    };
  }

  function axis(look, more) {
    var common = {
      nameTextStyle: { color: look.muted },
      axisLabel: { color: look.muted, hideOverlap: true },
      axisLine: { lineStyle: { color: look.muted } },
      splitLine: { lineStyle: { color: look.line } }
    };
    more.axisLabel = Object.assign({}, common.axisLabel, more.axisLabel);
    return Object.assign(common, more);
  }

  // 2018Q3 → the first day of its quarter; the rest is a date as it stands
  function moment(label) {
    var quarter = /^(\d{4})Q(\d)$/.exec(label);
    return quarter ? quarter[1] + "-" + ("0" + (quarter[2] * 3 - 2)).slice(-2) : label;
  }

  function legend(look, data) {
    return data.series.length > 1 ? { type: "scroll", top: 0, textStyle: { color: look.ink }, pageTextStyle: { color: look.muted } } : undefined;
  }

  // many groups, or long names on a phone, are read from top to bottom
  function lies(data, width) {
    return data.kind === "bar" && !data.ordered && (data.labels.length > 8 || (width < 520 && data.labels.length > 4));
  }

  function grouped(look, data, width) {
    var option = base(look, data);
    var lying = lies(data, width);
    var few = data.labels.length <= 8 && !data.ordered;
    var onTime = data.kind === "line" && data.time;
    var groups = axis(look, onTime
      ? { type: "time" }
      : { type: "category", data: data.labels, inverse: lying, axisLabel: lying ? { width: Math.min(160, width / 3), overflow: "truncate", interval: 0 }
          : few ? { width: (width - 90) / data.labels.length - 6, overflow: "break", interval: 0, hideOverlap: false }
            : { rotate: width < 520 ? 45 : 0 } });
    var values = axis(look, { type: "value", name: lying ? "" : data.y.name, nameLocation: "end", nameTextStyle: { align: "left", color: look.muted }, axisLabel: { formatter: short(data.y.unit) } });
    option.legend = legend(look, data);
    option.grid = { left: 12, right: 24, bottom: 8, top: data.series.length > 1 ? 64 : 40, containLabel: true };
    option.xAxis = lying ? values : groups;
    option.yAxis = lying ? groups : values;
    option.tooltip.trigger = "axis";
    option.tooltip.axisPointer = { type: data.kind === "bar" ? "shadow" : "line" };
    option.tooltip.valueFormatter = function (value) { return figure(Array.isArray(value) ? value[1] : value, data.y.unit); };
    option.series = data.series.map(function (one) {
      return {
        type: data.kind,
        name: one.name,
        stack: data.stacked && data.kind === "bar" ? "all" : undefined,
        barMaxWidth: 48,
        showSymbol: data.labels.length <= 60,
        symbolSize: 6,
        emphasis: { focus: data.series.length > 1 ? "series" : "none" },
        data: onTime ? one.values.map(function (value, i) { return [moment(data.labels[i]), value]; }) : one.values
      };
    });
    return option;
  }

  function pie(look, data, width) {
    var option = base(look, data);
    var values = data.series[0].values;
    var narrow = width < 520;
    var whole = values.reduce(function (sum, value) { return sum + value; }, 0);
    option.tooltip.trigger = "item";
    option.tooltip.valueFormatter = function (value) { return figure(value, data.y.unit); };
    // on a phone there is no room beside the pie: its names stand under it
    if (narrow) {
      option.legend = { bottom: 0, textStyle: { color: look.ink }, formatter: function (name) {
        return name + " " + (100 * values[data.labels.indexOf(name)] / whole).toFixed(1) + "%";
      } };
    }
    option.series = [{
      type: "pie",
      name: data.y.name,
      radius: narrow ? ["26%", "56%"] : ["36%", "70%"],
      center: ["50%", narrow ? "34%" : "50%"],
      label: { show: !narrow, color: look.ink, formatter: "{b}\n{d}%" },
      labelLine: { show: !narrow, lineStyle: { color: look.muted } },
      itemStyle: { borderColor: look.surface, borderWidth: 2 },
      data: data.labels.map(function (label, i) { return { name: label, value: values[i] }; })
    }];
    return option;
  }

  function scatter(look, data) {
    var option = base(look, data);
    option.grid = { left: 12, right: 24, bottom: 32, top: 40, containLabel: true };
    option.xAxis = axis(look, { type: "value", scale: true, name: titled(data.x), nameLocation: "middle", nameGap: 28, axisLabel: { formatter: short(data.x.unit) } });
    option.yAxis = axis(look, { type: "value", scale: true, name: titled(data.y), nameTextStyle: { align: "left", color: look.muted }, axisLabel: { formatter: short(data.y.unit) } });
    option.tooltip.trigger = "item";
    option.tooltip.formatter = function (point) {
      return plain(data.x.name) + ": " + figure(point.value[0], data.x.unit) + "<br>" + plain(data.y.name) + ": " + figure(point.value[1], data.y.unit);
    };
    option.series = [{ type: "scatter", symbolSize: 8, itemStyle: { opacity: 0.65 }, data: data.pairs }];
    return option;
  }

  // as large as fits, in the proportions of the place (a degree of longitude is shorter here than one of latitude)
  function ground(look, data, width, view) {
    return {
      map: "huizhou",
      roam: view.zoom > 1 ? "move" : false,
      zoom: view.zoom,
      aspectScale: 0.92,
      layoutCenter: ["50%", "50%"],
      layoutSize: Math.min(width, heightOf(data, width)) - 24,
      label: { show: true, color: look.muted },
      itemStyle: { areaColor: look.soft, borderColor: look.muted },
      emphasis: { label: { color: look.ink }, itemStyle: { areaColor: look.line } }
    };
  }

  function points(look, data, width, view) {
    var option = base(look, data);
    var most = data.squares ? Math.max.apply(null, data.places.map(function (place) { return place[3]; })) : 1;
    option.geo = ground(look, data, width, view);
    option.tooltip.trigger = "item";
    option.tooltip.formatter = function (point) {
      var value = point.value;
      if (!Array.isArray(value)) return plain(point.name);
      var lines = [data.squares ? data.words.square + ": " + figure(value[3], "") : plain(value[2])];
      if (data.value && value[4] !== null) lines.push(plain(data.value.name) + ": " + figure(value[4], data.value.unit));
      lines.push(value[0].toFixed(4) + ", " + value[1].toFixed(4));
      return lines.join("<br>");
    };
    option.series = [{
      type: "scatter",
      coordinateSystem: "geo",
      symbolSize: data.squares ? function (value) { return 6 + 20 * Math.sqrt(value[3] / most); } : 9,
      itemStyle: { color: look.series[1], opacity: 0.8, borderColor: look.surface, borderWidth: 1 },
      data: data.places
    }];
    return option;
  }

  function regions(look, data, width, view) {
    var option = base(look, data);
    var values = data.regions.map(function (one) { return one.value; }).filter(function (value) { return value !== null; });
    var low = Math.min.apply(null, values.concat(0)), high = Math.max.apply(null, values);
    option.visualMap = {
      type: "continuous", min: low, max: high > low ? high : low + 1, right: 4, top: 4, itemHeight: 80, itemWidth: 14, calculable: false,
      inRange: { color: [look.soft, look.brand] }, textStyle: { color: look.muted },
      text: [short(data.y.unit)(high), short(data.y.unit)(low)]
    };
    option.tooltip.trigger = "item";
    option.tooltip.formatter = function (point) {
      return plain(point.name) + "<br>" + plain(data.y.name) + ": " + figure(isNaN(point.value) ? null : point.value, data.y.unit);
    };
    option.series = [Object.assign(ground(look, data, width, view), {
      type: "map",
      nameProperty: "name",
      label: { show: true, color: look.ink, textBorderColor: look.surface, textBorderWidth: 3, formatter: function (point) {
        return point.name + (isNaN(point.value) ? "" : "\n" + short(data.y.unit)(point.value));
      } },
      data: data.regions.filter(function (one) { return one.value !== null; }).map(function (one) {
        var deep = one.value - low > 0.55 * (high - low);
        return deep ? Object.assign({ label: { color: look.onBrand, textBorderWidth: 0 } }, one) : one;
      })
    })];
    return option;
  }

  var DRAW = { line: grouped, bar: grouped, pie: pie, scatter: scatter, points: points, regions: regions };

  function plain(text) {
    var box = document.createElement("i");
    box.textContent = text;
    return box.innerHTML;
  }

  function titled(part) {
    return part.unit ? part.name + " (" + part.unit + ")" : part.name;
  }

  function heightOf(data, width) {
    if (data.kind === "points" || data.kind === "regions") return Math.max(340, Math.min(620, width * 0.9));
    return lies(data, width) ? Math.max(320, data.labels.length * 26 + 90) : width < 520 ? 340 : 440;
  }

  function save(echarts, figureBox, data, kind, view) {
    var box = document.createElement("div");
    var height = heightOf(data, 1200);
    var chart = echarts.init(box, null, { renderer: kind === "svg" ? "svg" : "canvas", width: 1200, height: height, locale: LANG.slice(0, 2).toUpperCase() });
    var option = DRAW[data.kind](colours(true), data, 1200, view);
    option.animation = false;
    var source = figureBox.querySelector("figcaption p").textContent;
    option.title = {
      text: figureBox.querySelector(".oh-chart-title").textContent, left: "center", top: 8, textStyle: { fontSize: 18, color: colours(true).ink },
      subtext: data.note ? source + "\n" + data.note : source, subtextStyle: { color: colours(true).muted }
    };
    if (option.grid) option.grid.top += 64;
    if (option.legend) option.legend.top = 60;
    var map = option.geo || option.series[0];
    if (map.map) {
      map.layoutCenter = ["50%", "56%"];
      map.layoutSize -= 76;
    }
    chart.setOption(option);
    var link = document.createElement("a");
    link.href = chart.getDataURL({ type: kind, pixelRatio: 2 });
    link.download = figureBox.dataset.file + "." + kind;
    document.body.appendChild(link);
    link.click();
    link.remove();
    chart.dispose();
  }

  function start(echarts, figureBox, data) {
    var box = figureBox.querySelector(".oh-chart-box");
    var tools = figureBox.querySelector(".oh-chart-tools");
    var view = { zoom: 1 };
    box.hidden = tools.hidden = false;
    box.style.height = heightOf(data, box.clientWidth) + "px";
    var renderer = (data.places || data.pairs || []).length > 800 ? "canvas" : "svg";
    var chart = echarts.init(box, null, { renderer: renderer, locale: LANG.slice(0, 2).toUpperCase() });
    var width = box.clientWidth;
    var draw = function () { chart.setOption(DRAW[data.kind](colours(false), data, box.clientWidth, view), true); };
    draw();
    dark.addEventListener("change", draw);
    new ResizeObserver(function () {
      if (box.clientWidth === width || !box.clientWidth) return;
      width = box.clientWidth;
      box.style.height = heightOf(data, width) + "px";
      chart.resize();
      draw();
    }).observe(box);
    tools.addEventListener("click", function (event) {
      var button = event.target.closest("button");
      if (!button) return;
      if (button.dataset.save) save(echarts, figureBox, data, button.dataset.save, view);
      if (button.dataset.zoom) {
        view.zoom = Math.min(12, Math.max(1, view.zoom * Number(button.dataset.zoom)));
        draw();
      }
    });
    figureBox.dataset.drawn = "yes";
  }

  function load(figureBox) {
    var data = JSON.parse(figureBox.querySelector("script[type='application/json']").textContent);
    var outlines = figureBox.dataset.outlines
      ? fetch(figureBox.dataset.outlines).then(function (answer) { return answer.json(); })
      : Promise.resolve(null);
    Promise.all([import(figureBox.dataset.library), outlines]).then(function (parts) {
      if (parts[1]) parts[0].registerMap("huizhou", parts[1]);
      start(parts[0], figureBox, data);
    }).catch(function (error) {
      var note = document.createElement("p");
      note.className = "oh-note";
      note.textContent = figureBox.dataset.failed;
      figureBox.appendChild(note);
      throw error;
    });
  }

  document.querySelectorAll(".oh-chart").forEach(function (figureBox) {
    var seen = new IntersectionObserver(function (entries) {
      if (!entries.some(function (entry) { return entry.isIntersecting; })) return;
      seen.disconnect();
      load(figureBox);
    }, { rootMargin: "400px" });
    seen.observe(figureBox);
  });
})();
