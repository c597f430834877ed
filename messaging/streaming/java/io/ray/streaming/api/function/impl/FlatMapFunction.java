package io.ray.streaming.api.function.impl;

import io.ray.streaming.api.collector.Collector;

/** One record in, any number out. */
@FunctionalInterface
public interface FlatMapFunction<T, R> {
  void flatMap(T value, Collector<R> collector) throws Exception;
}
