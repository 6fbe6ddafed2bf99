package fr.traverse.elasticsearch;

import static org.elasticsearch.plugins.AnalysisPlugin.requiresAnalysisSettings;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.apache.lucene.analysis.CharArraySet;
import org.apache.lucene.analysis.LowerCaseFilter;
import org.apache.lucene.analysis.TokenFilter;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.core.FlattenGraphFilter;
import org.apache.lucene.analysis.core.UpperCaseFilter;
import org.apache.lucene.analysis.de.GermanLightStemFilter;
import org.apache.lucene.analysis.de.GermanNormalizationFilter;
import org.apache.lucene.analysis.en.EnglishMinimalStemFilter;
import org.apache.lucene.analysis.en.EnglishPossessiveFilter;
import org.apache.lucene.analysis.en.KStemFilter;
import org.apache.lucene.analysis.en.PorterStemFilter;
import org.apache.lucene.analysis.fr.FrenchLightStemFilter;
import org.apache.lucene.analysis.fr.FrenchMinimalStemFilter;
import org.apache.lucene.analysis.miscellaneous.ASCIIFoldingFilter;
import org.apache.lucene.analysis.miscellaneous.KeywordRepeatFilter;
import org.apache.lucene.analysis.miscellaneous.LengthFilter;
import org.apache.lucene.analysis.miscellaneous.PatternKeywordMarkerFilter;
import org.apache.lucene.analysis.miscellaneous.RemoveDuplicatesTokenFilter;
import org.apache.lucene.analysis.miscellaneous.SetKeywordMarkerFilter;
import org.apache.lucene.analysis.miscellaneous.StemmerOverrideFilter;
import org.apache.lucene.analysis.miscellaneous.TrimFilter;
import org.apache.lucene.analysis.miscellaneous.TruncateTokenFilter;
import org.apache.lucene.analysis.miscellaneous.WordDelimiterGraphFilter;
import org.apache.lucene.analysis.miscellaneous.WordDelimiterIterator;
import org.apache.lucene.analysis.ngram.EdgeNGramTokenFilter;
import org.apache.lucene.analysis.pattern.PatternReplaceFilter;
import org.apache.lucene.analysis.reverse.ReverseStringFilter;
import org.apache.lucene.analysis.snowball.SnowballFilter;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;
import org.apache.lucene.analysis.tokenattributes.PositionIncrementAttribute;
import org.apache.lucene.analysis.util.ElisionFilter;
import org.elasticsearch.common.regex.Regex;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.index.analysis.Analysis;
import org.elasticsearch.index.analysis.NormalizingTokenFilterFactory;
import org.elasticsearch.index.analysis.TokenFilterFactory;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;

/** The token filters, a table: type name to what builds it from its parameters. */
final class TokenFilters {
    private TokenFilters() {}

    /** Reads the parameters once, when the index is opened; what it returns runs for every text. */
    @FunctionalInterface
    interface Recipe {
        UnaryOperator<TokenStream> read(Environment environment, Settings settings) throws IOException;
    }

    static Map<String, AnalysisProvider<TokenFilterFactory>> byName() {
        Map<String, AnalysisProvider<TokenFilterFactory>> types = new HashMap<>();
        // Character by character: keyword normalizers and prefix queries use them too.
        types.put("lowercase", normalizing((env, s) -> {
            refuse(s, "language");
            return LowerCaseFilter::new;
        }));
        types.put("uppercase", normalizing((env, s) -> UpperCaseFilter::new));
        types.put("trim", normalizing((env, s) -> TrimFilter::new));
        types.put("german_normalization", normalizing((env, s) -> GermanNormalizationFilter::new));
        types.put("elision", requiresAnalysisSettings(normalizing(TokenFilters::elision)));
        types.put("pattern_replace", requiresAnalysisSettings(normalizing(TokenFilters::patternReplace)));
        types.put("asciifolding", (index, env, name, s) -> {
            boolean preserve = s.getAsBoolean("preserve_original", false);
            UnaryOperator<TokenStream> folded = in -> new ASCIIFoldingFilter(in, false);
            return new NormalizingFilter(name, preserve ? in -> new ASCIIFoldingFilter(in, true) : folded, folded);
        });
        // Word by word.
        types.put("stemmer", plain((env, s) -> stemmer(s.get("language", s.get("name", "porter")))));
        types.put("stemmer_override", requiresAnalysisSettings(plain(TokenFilters::stemmerOverride)));
        types.put("keyword_marker", requiresAnalysisSettings(plain(TokenFilters::keywordMarker)));
        types.put("length", plain((env, s) -> {
            int min = s.getAsInt("min", 0);
            int max = s.getAsInt("max", Integer.MAX_VALUE);
            return in -> new LengthFilter(in, min, max);
        }));
        types.put("truncate", plain((env, s) -> {
            int length = s.getAsInt("length", 10);
            return in -> new TruncateTokenFilter(in, length);
        }));
        types.put("reverse", plain((env, s) -> ReverseStringFilter::new));
        types.put("unique", plain((env, s) -> {
            boolean samePosition = s.getAsBoolean("only_on_same_position", false);
            return in -> new Unique(in, samePosition);
        }));
        types.put("remove_duplicates", plain((env, s) -> RemoveDuplicatesTokenFilter::new));
        types.put("flatten_graph", plain((env, s) -> FlattenGraphFilter::new));
        // One word becomes several: synonym rules cannot be read through them.
        types.put("keyword_repeat", notInSynonyms((env, s) -> KeywordRepeatFilter::new));
        types.put("edge_ngram", notInSynonyms(TokenFilters::edgeNGram));
        types.put("word_delimiter_graph", notInSynonyms(TokenFilters::wordDelimiterGraph));
        types.put("synonym", requiresAnalysisSettings(Synonyms::flat));
        types.put("synonym_graph", requiresAnalysisSettings(Synonyms::graph));
        return types;
    }

    /** {@code inSynonyms}: whether the rules of a later synonym filter may be read through it. */
    private record Filter(String name, UnaryOperator<TokenStream> create, boolean inSynonyms)
            implements TokenFilterFactory {
        @Override
        public TokenStream create(TokenStream in) {
            return create.apply(in);
        }

        @Override
        public TokenFilterFactory getSynonymFilter() {
            if (!inSynonyms) {
                throw new IllegalArgumentException("Token filter [" + name + "] cannot be used to parse synonyms");
            }
            return this;
        }
    }

    /** {@code normalize}: for single terms, in normalizers, prefixes and synonym rules. */
    private record NormalizingFilter(
            String name, UnaryOperator<TokenStream> create, UnaryOperator<TokenStream> normalize)
            implements NormalizingTokenFilterFactory {
        @Override
        public TokenStream create(TokenStream in) {
            return create.apply(in);
        }

        @Override
        public TokenStream normalize(TokenStream in) {
            return normalize.apply(in);
        }

        @Override
        public TokenFilterFactory getSynonymFilter() {
            return new NormalizingFilter(name, normalize, normalize);
        }
    }

    private static AnalysisProvider<TokenFilterFactory> normalizing(Recipe recipe) {
        return (index, env, name, settings) -> {
            UnaryOperator<TokenStream> create = recipe.read(env, settings);
            return new NormalizingFilter(name, create, create);
        };
    }

    private static AnalysisProvider<TokenFilterFactory> plain(Recipe recipe) {
        return (index, env, name, settings) -> new Filter(name, recipe.read(env, settings), true);
    }

    private static AnalysisProvider<TokenFilterFactory> notInSynonyms(Recipe recipe) {
        return (index, env, name, settings) -> new Filter(name, recipe.read(env, settings), false);
    }

    /** A parameter that this plugin does not serve must not be ignored silently. */
    static void refuse(Settings settings, String... parameters) {
        for (String parameter : parameters) {
            if (settings.hasValue(parameter)) {
                throw new IllegalArgumentException(
                        "[" + parameter + "] is not supported by Traverse's local analysis plugin");
            }
        }
    }

    private static UnaryOperator<TokenStream> elision(Environment env, Settings s) {
        CharArraySet articles = Analysis.parseArticles(env, s);
        if (articles == null) {
            throw new IllegalArgumentException("elision filter requires [articles] or [articles_path] setting");
        }
        return in -> new ElisionFilter(in, articles);
    }

    private static UnaryOperator<TokenStream> patternReplace(Environment env, Settings s) {
        Pattern pattern = pattern(s, null);
        String replacement = s.get("replacement", "");
        boolean all = s.getAsBoolean("all", true);
        return in -> new PatternReplaceFilter(in, pattern, replacement, all);
    }

    static Pattern pattern(Settings s, String byDefault) {
        String pattern = s.get("pattern", byDefault);
        if (pattern == null) {
            throw new IllegalArgumentException("pattern is missing");
        }
        return Regex.compile(pattern, s.get("flags"));
    }

    private static UnaryOperator<TokenStream> stemmer(String language) {
        return switch (language) {
            case "light_french", "lightFrench" -> FrenchLightStemFilter::new;
            case "minimal_french", "minimalFrench" -> FrenchMinimalStemFilter::new;
            case "french" -> in -> new SnowballFilter(in, "French");
            case "light_english", "lightEnglish", "kstem", "light" -> KStemFilter::new;
            case "minimal_english", "minimalEnglish" -> EnglishMinimalStemFilter::new;
            case "possessive_english", "possessiveEnglish" -> EnglishPossessiveFilter::new;
            case "light_german", "lightGerman" -> GermanLightStemFilter::new;
            case "english", "porter" -> PorterStemFilter::new;
            default -> throw new IllegalArgumentException("Invalid stemmer class specified: " + language);
        };
    }

    private static UnaryOperator<TokenStream> stemmerOverride(Environment env, Settings s) throws IOException {
        List<String> rules = Analysis.getWordList(env, s, "rules");
        if (rules == null) {
            throw new IllegalArgumentException("stemmer override filter requires either `rules` or `rules_path` to be configured");
        }
        StemmerOverrideFilter.Builder builder = new StemmerOverrideFilter.Builder(false);
        for (String rule : rules) {
            String[] sides = rule.split("=>", -1);
            if (sides.length != 2 || sides[1].isBlank() || sides[1].contains(",")) {
                throw new RuntimeException("Invalid Keyword override Rule:" + rule);
            }
            for (String key : sides[0].split(",")) {
                if (key.isBlank()) {
                    throw new RuntimeException("Invalid Keyword override Rule:" + rule);
                }
                builder.add(key.trim(), sides[1].trim());
            }
        }
        StemmerOverrideFilter.StemmerOverrideMap map = builder.build();
        return in -> new StemmerOverrideFilter(in, map);
    }

    private static UnaryOperator<TokenStream> keywordMarker(Environment env, Settings s) {
        String pattern = s.get("keywords_pattern");
        if (pattern != null) {
            Pattern compiled = Pattern.compile(pattern);
            return in -> new PatternKeywordMarkerFilter(in, compiled);
        }
        CharArraySet keywords = Analysis.getWordSet(env, s, "keywords");
        if (keywords == null) {
            throw new IllegalArgumentException("keyword filter requires either `keywords`, `keywords_path`, or `keywords_pattern` to be configured");
        }
        boolean ignoreCase = s.getAsBoolean("ignore_case", false);
        CharArraySet set = new CharArraySet(keywords, ignoreCase);
        return in -> new SetKeywordMarkerFilter(in, set);
    }

    private static UnaryOperator<TokenStream> edgeNGram(Environment env, Settings s) {
        int min = s.getAsInt("min_gram", 1);
        int max = s.getAsInt("max_gram", 2);
        boolean preserve = s.getAsBoolean("preserve_original", false);
        String side = s.get("side", "front");
        if (side.equals("front")) {
            return in -> new EdgeNGramTokenFilter(in, min, max, preserve);
        }
        if (!side.equals("back")) {
            throw new IllegalArgumentException("invalid side: " + side);
        }
        return in -> new ReverseStringFilter(
                new EdgeNGramTokenFilter(new ReverseStringFilter(in), min, max, preserve));
    }

    private static UnaryOperator<TokenStream> wordDelimiterGraph(Environment env, Settings s) {
        refuse(s, "type_table", "type_table_path");
        int flags = flag(s, "generate_word_parts", true, WordDelimiterGraphFilter.GENERATE_WORD_PARTS)
                | flag(s, "generate_number_parts", true, WordDelimiterGraphFilter.GENERATE_NUMBER_PARTS)
                | flag(s, "catenate_words", false, WordDelimiterGraphFilter.CATENATE_WORDS)
                | flag(s, "catenate_numbers", false, WordDelimiterGraphFilter.CATENATE_NUMBERS)
                | flag(s, "catenate_all", false, WordDelimiterGraphFilter.CATENATE_ALL)
                | flag(s, "split_on_case_change", true, WordDelimiterGraphFilter.SPLIT_ON_CASE_CHANGE)
                | flag(s, "preserve_original", false, WordDelimiterGraphFilter.PRESERVE_ORIGINAL)
                | flag(s, "split_on_numerics", true, WordDelimiterGraphFilter.SPLIT_ON_NUMERICS)
                | flag(s, "stem_english_possessive", true, WordDelimiterGraphFilter.STEM_ENGLISH_POSSESSIVE)
                | flag(s, "ignore_keywords", false, WordDelimiterGraphFilter.IGNORE_KEYWORDS);
        boolean adjust = s.getAsBoolean("adjust_offsets", true);
        CharArraySet words = Analysis.getWordSet(env, s, "protected_words");
        return in -> new WordDelimiterGraphFilter(
                in, adjust, WordDelimiterIterator.DEFAULT_WORD_DELIM_TABLE, flags, words);
    }

    private static int flag(Settings s, String name, boolean byDefault, int bit) {
        return s.getAsBoolean(name, byDefault) ? bit : 0;
    }

    /** Drops a word that was already seen, in the whole text or at the same position only. */
    private static final class Unique extends TokenFilter {
        private final CharTermAttribute term = addAttribute(CharTermAttribute.class);
        private final PositionIncrementAttribute increment = addAttribute(PositionIncrementAttribute.class);
        private final CharArraySet seen = new CharArraySet(8, false);
        private final boolean samePosition;

        private Unique(TokenStream in, boolean samePosition) {
            super(in);
            this.samePosition = samePosition;
        }

        @Override
        public boolean incrementToken() throws IOException {
            while (input.incrementToken()) {
                if (samePosition && increment.getPositionIncrement() > 0) {
                    seen.clear();
                }
                if (seen.add(term.toString())) {
                    return true;
                }
            }
            return false;
        }

        @Override
        public void reset() throws IOException {
            super.reset();
            seen.clear();
        }
    }
}
