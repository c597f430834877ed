package io.ray.streaming.api.partition;

/** Says which of the next operator's instances get a record: numbers from 0, below numPartition. */
@FunctionalInterface
public interface Partition<T> {
  int[] partition(T record, int numPartition) throws Exception;
}
