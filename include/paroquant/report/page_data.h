// Pieces that several kinds of pages show.
#ifndef PAROQUANT_REPORT_PAGE_DATA_H_
#define PAROQUANT_REPORT_PAGE_DATA_H_

#include <cstdint>
#include <string>
#include <vector>

namespace paroquant::report {

// A line of what is to be known of a run or a model.
struct Fact {
  std::string label;
  std::string value;
  std::string detail = {};  // what the value is to be read with
};

// How many things fall into each bin.
struct BinCounts {
  std::string name;
  std::vector<int64_t> counts;  // of the bin between edges i and i + 1
};

// Several distributions over the same bins.
struct Distributions {
  std::vector<double> edges;  // ascending, one more than there are bins
  std::vector<BinCounts> series;
};

// How far a layer's numbers are from evenly spread.
struct LayerOutliers {
  Distributions weights;     // |w| over the root mean square of its group
  Distributions channels;    // root mean squares of channels over that of all; empty: not known
  std::string channels_are;  // what the channels are of: "inputs", ...
};

// Two channels of a group that a round of rotations turns into each other.
struct ChannelPair {
  int first = 0;
  int second = 0;
  double angle = 0;  // degrees
};

// The rotations of one group of a layer's input channels.
struct GroupRotations {
  std::string layer;
  int64_t group = 0;
  int group_size = 0;
  std::vector<std::vector<ChannelPair>> rounds;
};

}  // namespace paroquant::report

#endif  // PAROQUANT_REPORT_PAGE_DATA_H_
