package io.ray.streaming.api.function.impl;

/** Folds the records of one key; what it returns is both the key's new state and the output. */
@FunctionalInterface
public interface ReduceFunction<T> {
  T reduce(T oldValue, T newValue) throws Exception;
}
